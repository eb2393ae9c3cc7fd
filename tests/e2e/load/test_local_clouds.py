"""Cold counts against the local clouds' own ledger, which the measuring side never reads; and real traces."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from adapters.emulator import clouds
from loadtests.launch import RunRequest, free_port, run
from loadtests.plan.targets import Target, write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import FILE_NAME, open_store
from tests.kits.load import LOCUSTFILE
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

DATA = os.environ.get("TRIPOINT_DATA")
NOTICE_S = 0.25  # on a busy machine; a few ms on a quiet one
PHASES = """
[[phases]]
kind = "forced"
rounds = 3
[[phases]]
kind = "constant"
rate = 8
count = 64
[[phases]]
kind = "forced"
rounds = 3
name = "forced again"
"""


@contextmanager
def local_targets(*names: str) -> Iterator[list[Target]]:
    fields = ("cloud", "plan", "memory_mb", "url", "concurrency", "control", "cpu_share")
    with clouds.start(names) as running:
        yield [
            Target(name=each.cloud, region="local", **{name: getattr(each, name) for name in fields})
            for each in running.values()
        ]


def cold_in_ledger(target: Target) -> int:
    return sum(bool(line.get("waited_for_new_instance")) for line in ledger(target))


def ledger(target: Target) -> list[dict[str, Any]]:
    """The requests in the local cloud's ledger."""
    return [line for line in records(target) if line["event"] == "request"]


def records(target: Target) -> list[dict[str, Any]]:
    """The whole ledger."""
    with urllib.request.urlopen(f"{target.control}/ledger", timeout=10) as answer:
        return [json.loads(line) for line in answer.read().splitlines()]


def sent_while_it_became_ready(target: Target) -> int:
    """Requests that only the platform can tell: they came while it was about to notice that an instance is ready."""
    lines = records(target)
    ready_s = {line["instance"]: line["at_s"] for line in lines if line["event"] == "instance_ready"}
    away_s = [line["arrived_s"] - ready_s[line["instance"]] for line in lines if line["event"] == "request"]
    return sum(abs(each) < NOTICE_S for each in away_s)


def cold_in_store(samples: Sequence[Sample], target: Target) -> int:
    return sum(sample.state == "cold" for sample in samples if sample.target == target.name)


def test_cold_counts_equal_the_ledger_of_every_local_cloud(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PHASES.replace("64", "24"), encoding="utf-8")
    with local_targets("aws", "azure", "gcp") as targets:
        ended = run(RunRequest(tmp_path / "run", targets, SAMPLES, scenario=str(tmp_path / "mine.toml"), workers=2))
        assert ended.message == ""
        with open_store(tmp_path / "run") as store:
            samples = classify_samples(store.samples())
        stored = {target.name: cold_in_store(samples, target) for target in targets}
        assert stored == {target.name: cold_in_ledger(target) for target in targets}
        assert all(count >= 7 for count in stored.values())


def test_cold_counts_equal_the_ledger_with_a_worker_killed_half_way(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
    with local_targets("aws") as [target]:
        process = start_two_workers(tmp_path, target)
        try:
            wait_for_samples(tmp_path / "run", "steady", at_least=12)
            psutil.Process(process.pid).children()[0].kill()
            assert process.wait(timeout=90) == 0
        finally:
            process.kill()
            process.wait()
        with open_store(tmp_path / "run") as store:
            samples, [lost] = classify_samples(store.samples()), store.events("worker-lost")
        assert cold_in_store(samples, target) == cold_in_ledger(target) >= 7
        assert 0 <= len(ledger(target)) - len(samples) <= lost.document["undelivered"]
        assert sum(sample.stratum == "forced" for sample in samples) == 6, "the other worker goes on"


@pytest.mark.skipif(DATA is None, reason="TRIPOINT_DATA is not set: no recorded traces here")
def test_a_recorded_trace_is_replayed_at_sixty_times_its_speed(tmp_path: Path) -> None:
    trace = Path(str(DATA)) / "traces" / "Azure2021_200.csv"
    (tmp_path / "mine.toml").write_text(
        f'[[phases]]\nkind = "trace"\nfile = {json.dumps(str(trace))}\nspeed = 60\nthin = 0.3\n', encoding="utf-8"
    )
    with local_targets("aws", "azure", "gcp") as targets:
        plan = RunRequest(tmp_path / "run", targets, SAMPLES, scenario=str(tmp_path / "mine.toml"))
        assert run(plan).message == ""
        with open_store(tmp_path / "run") as store:
            samples, scheduled = classify_samples(store.samples()), store.schedule()
        played = [sample for sample in samples if sample.index >= 0]
        assert sorted(sample.index for sample in played) == [arrival.index for arrival in scheduled]
        assert max(arrival.offset_s for arrival in scheduled) == pytest.approx(20.0, abs=1.0)
        for target in targets:
            own = [sample for sample in samples if sample.target == target.name]
            answered = [sample for sample in own if sample.instance is not None]  # the others were throttled
            assert len(answered) == len(ledger(target)) > 0
            apart = abs(cold_in_store(samples, target) - cold_in_ledger(target))
            assert apart <= sent_while_it_became_ready(target)


def start_two_workers(folder: Path, target: Target) -> subprocess.Popen[bytes]:
    write_targets(folder / "targets.json", [target])
    files = ["--targets", str(folder / "targets.json"), "--images", str(SAMPLES), "--run-dir", str(folder / "run")]
    port = str(free_port())
    master = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port]
    processes = ["--processes", "2", *master, "--master-host", "127.0.0.1", "--master-port", port]
    scenario = ["--scenario", str(folder / "mine.toml"), "--exit-code-on-error", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", *processes, *files, *scenario],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_samples(run_dir: Path, stratum: str, *, at_least: int) -> None:
    """Wait until the store holds that many samples of `stratum`."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        if (run_dir / FILE_NAME).is_file():
            with open_store(run_dir) as store:
                if store.counts().get(stratum, 0) >= at_least:
                    return
        time.sleep(0.05)
    pytest.fail(f"fewer than {at_least} samples after 60 s")
