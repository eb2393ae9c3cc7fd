"""Workers that die and runs that end early: nothing is lost silently, nothing is counted twice."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.launch import RunRequest, free_port, run
from loadtests.plan.payloads import payloads_digest, read_payloads
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target, write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import FILE_NAME, Store, open_store
from tests.kits.load import LOCUSTFILE, ledger, null_target, write_images


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
    served = ledger(target)["served"]
    assert served - 40 <= len(before) <= served, "a kill loses at most the last second"
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


class FakeProvider:
    """Provides the credentials of one target, and counts how often it is asked for them."""

    cold_start_targets = ("aws",)

    def __init__(self) -> None:
        self.asked = 0

    def auth_headers(self) -> dict[str, str]:
        self.asked += 1
        return {"aws": RequestAuth(fixed={"key": "secret"}).text()}

    def force_cold_start(self, target: str) -> None:
        """Do nothing: the samples say what their targets did."""


def test_a_run_whose_targets_need_credentials_is_resumed(tmp_path: Path, images: Path, target: Target) -> None:
    arrivals = [Arrival(index, index * 0.05, "aws", "steady", index) for index in range(10)]
    header = {
        "targets": [target.document()],
        "phases": [{"name": "steady", "kind": "constant", "loop": "open", "rate": 20, "count": 10}],
        "loop": "open",
        "images": {"sha256": payloads_digest(read_payloads(images)), "count": 3},
        "seed": 1,
        "timeout_s": 5.0,
        "in_flight_max": 100,
    }
    with Store.create(tmp_path / "run" / FILE_NAME, header) as store:
        store.plan(arrivals)
    provider = FakeProvider()
    ended = run(RunRequest(tmp_path / "run", [target], images, resume=True, credentials=provider))
    assert (ended.exit_code, ended.message) == (0, "")
    with open_store(tmp_path / "run") as store:
        samples = store.samples()
    assert sorted(sample.index for sample in samples if sample.index >= 0) == list(range(10))
    assert {sample.outcome for sample in samples} == {"ok"}
    assert provider.asked == 1
