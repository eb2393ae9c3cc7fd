"""Workers that die and runs that end early: nothing is lost silently, nothing is counted twice."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import psutil
import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.launch import RunRequest, free_port, run
from loadtests.plan.targets import Target, write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import FILE_NAME, open_store
from tests.kits.load import LOCUSTFILE, ledger, null_target, write_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images")


@pytest.fixture
def target() -> Iterator[Target]:
    with null_target("aws", "--delay-ms", "3", "--cold-ms", "40") as found:
        yield found


def start(folder: Path, images: Path, target: Target, *, workers: int) -> subprocess.Popen[bytes]:
    write_targets(folder / "targets.json", [target])
    files = ["--targets", str(folder / "targets.json"), "--images", str(images), "--run-dir", str(folder / "run")]
    port = free_port()
    master = ["--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
    processes = ["--processes", str(workers), *master, "--master-host", "127.0.0.1", "--master-port", str(port)]
    phases = '[[phases]]\nkind = "forced"\nrounds = 3\n[[phases]]\nkind = "constant"\nrate = 40\ncount = 400\n'
    (folder / "mine.toml").write_text(phases, encoding="utf-8")
    scenario = ["--scenario", str(folder / "mine.toml")]
    return subprocess.Popen(
        [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless", *processes, *files, *scenario],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_samples(run_dir: Path, *, at_least: int) -> None:
    """Wait until the store holds that many samples."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        if (run_dir / FILE_NAME).is_file():
            with open_store(run_dir) as store:
                if sum(store.counts().values()) >= at_least:
                    return
        time.sleep(0.05)
    pytest.fail(f"fewer than {at_least} samples after 60 s")


def test_a_worker_that_dies_is_named_and_what_it_had_not_delivered_is_counted(
    tmp_path: Path, images: Path, target: Target
) -> None:
    process = start(tmp_path, images, target, workers=2)
    try:
        wait_for_samples(tmp_path / "run", at_least=150)
        victim = psutil.Process(process.pid).children()[0]
        victim.kill()
        process.wait(timeout=60)
    finally:
        process.kill()
        process.wait()
    with open_store(tmp_path / "run") as store:
        samples, scheduled = classify_samples(store.samples()), store.schedule()
        [lost], workers = store.events("worker-lost"), store.events("worker-started")
    assert lost.worker in {event.worker for event in workers}
    played = [sample for sample in samples if sample.index >= 0]
    by_worker = Counter(sample.worker for sample in played)
    assert lost.document["received"] == by_worker[lost.worker]
    missing = len(scheduled) - len(played)
    assert missing == lost.document["undelivered"] + lost.document["unsent"]
    assert missing == lost.document["assigned"] - lost.document["received"]
    [other] = set(by_worker) - {lost.worker}
    assert by_worker[other] >= 200, "the other worker plays its whole share"
    truth = ledger(target)
    assert sum(sample.state == "cold" for sample in samples) == truth["cold"] == 4
    assert 0 <= truth["served"] - len(samples) <= lost.document["undelivered"]


def test_a_run_that_was_killed_is_resumed_to_its_whole_schedule(tmp_path: Path, images: Path, target: Target) -> None:
    process = start(tmp_path, images, target, workers=2)
    try:
        wait_for_samples(tmp_path / "run", at_least=120)
    finally:
        for child in psutil.Process(process.pid).children():
            child.kill()
        process.kill()
        process.wait()
    with open_store(tmp_path / "run") as store:
        before = classify_samples(store.samples())
    plan = RunRequest(tmp_path / "run", [target], images, resume=True)
    assert run(plan).message == ""
    with open_store(tmp_path / "run") as store:
        after, scheduled = classify_samples(store.samples()), store.schedule()
        [resumed] = store.events("resumed")
    assert [sample for sample in after if sample in before] == before
    played = Counter(sample.index for sample in after if sample.index >= 0)
    assert played == {arrival.index: 1 for arrival in scheduled}
    assert resumed.document["requests"] == len(scheduled) - sum(sample.index >= 0 for sample in before)
    end_s = max(sample.intended_s for sample in before)
    assert all(sample.intended_s > end_s for sample in after if sample not in before)


def test_a_run_of_a_closed_target_is_resumed_with_credentials_from_one_channel(
    tmp_path: Path, images: Path, target: Target
) -> None:
    """A second client on the inherited socket would wait in vain for the credentials that the first one took."""
    request = RunRequest(tmp_path / "run", [target], images, scenario="smoke", porter=Credentials((target.name,)))
    assert run(request).message == ""
    with closing(sqlite3.connect(tmp_path / "run" / FILE_NAME)) as store:  # as if the run had been cut off
        store.execute('DELETE FROM samples WHERE "index" > 10')
        store.commit()
    assert run(replace(request, resume=True)).message == ""
    with open_store(tmp_path / "run") as resumed:
        played = Counter(sample.index for sample in resumed.samples() if sample.index >= 0)
        assert played == {arrival.index: 1 for arrival in resumed.schedule()}


@dataclass(frozen=True)
class Credentials:
    """A credential provider that adds a header to the requests of its targets."""

    targets: tuple[str, ...]
    cold_start_targets: tuple[str, ...] = ()

    def auth_headers(self) -> dict[str, str]:
        return {name: RequestAuth(fixed={"x-functions-key": "secret"}).text() for name in self.targets}

    def force_cold_start(self, target: str) -> None:
        raise RuntimeError(f"cold starts of {target} cannot be forced")


def test_a_run_is_not_resumed_with_other_images(tmp_path: Path, images: Path, target: Target) -> None:
    assert run(RunRequest(tmp_path / "run", [target], images, scenario="smoke")).exit_code == 0
    (images / "2.png").unlink()
    ended = run(RunRequest(tmp_path / "run", [target], images, scenario="smoke", resume=True))
    assert ended.exit_code == 2
    assert "the run sent other images" in ended.message


def test_a_run_folder_is_not_used_twice(tmp_path: Path, images: Path, target: Target) -> None:
    assert run(RunRequest(tmp_path / "run", [target], images, scenario="smoke")).exit_code == 0
    ended = run(RunRequest(tmp_path / "run", [target], images, scenario="smoke"))
    assert ended.exit_code == 2
    assert "exists already" in ended.message
