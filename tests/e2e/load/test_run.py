"""The real Locust against null servers: what was scheduled is in the store, once, and counted as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from loadtests.launch import RunProgress, RunRequest, run
from loadtests.plan.targets import Target, write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import FILE_NAME, open_store
from tests.kits.load import LOCUSTFILE, ledger, null_target, write_images


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "my images")


@pytest.fixture
def target() -> Iterator[Target]:
    with null_target("aws", "--delay-ms", "3", "--cold-ms", "60") as found:
        yield found


@pytest.mark.parametrize("workers", [1, 2])
def test_every_scheduled_request_is_stored_once_by_however_many_workers(
    tmp_path: Path, images: Path, target: Target, workers: int
) -> None:
    seen: list[RunProgress] = []
    plan = RunRequest(tmp_path / "run", [target], images, scenario="smoke", workers=workers, notes={"why": "test"})
    ended = run(plan, on_progress=seen.append)
    assert (ended.exit_code, ended.message) == (0, "")
    with open_store(tmp_path / "run") as store:
        samples, scheduled, header = classify_samples(store.samples()), store.schedule(), store.header()
        kinds = Counter(event.kind for event in store.events())
    played = [sample for sample in samples if sample.worker != "probe"]
    assert sorted(sample.index for sample in played) == [arrival.index for arrival in scheduled]
    assert len({sample.worker for sample in played}) == workers
    assert {sample.outcome for sample in samples} == {"ok"}
    assert (kinds["worker-started"], kinds["phase"], kinds["finished"]) == (workers, 2, 1)
    assert (header["scenario"], header["seed"], header["why"], header["images"]["count"]) == ("smoke", 1, "test", 3)
    truth = ledger(target)
    assert sum(sample.state == "cold" for sample in samples) == truth["cold"] == 2
    assert len(samples) == truth["served"]
    assert (seen[-1].phase, seen[-1].done, seen[-1].total) == ("steady", 20, 20)
    forced = [sample for sample in samples if sample.stratum == "forced"]
    assert [(sample.state, sample.init_ms) for sample in forced] == [("cold", 60.0)]
    assert all((sample.latency_ms or 0) >= 60.0 for sample in forced)
    assert Counter(sample.state for sample in samples if sample.stratum == "steady") == {"warm": 20}


def test_without_targets_it_says_in_one_sentence_what_to_do() -> None:
    ended = locust("--headless")
    assert ended.returncode == 2
    lines = [line for line in ended.stderr.splitlines() if line.startswith("tripoint:")]
    assert len(lines) == 1
    assert "--targets" in lines[0]
    assert "Traceback" not in ended.stderr


def test_it_runs_from_an_uninstalled_checkout_in_another_folder(tmp_path: Path) -> None:
    packages = str(Path(locust_package()).parent.parent)  # without the .pth file that installs this project
    command = [sys.executable, "-S", "-m", "locust", "-f", str(LOCUSTFILE), "--headless"]
    ended = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": packages}, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("tripoint: No targets") or "\ntripoint: No targets" in ended.stderr


def test_an_interrupt_keeps_what_was_measured_even_in_a_background_job(
    tmp_path: Path, images: Path, target: Target
) -> None:
    """A shell without job control starts its background jobs with the interrupt ignored."""
    with locust_running(tmp_path, images, target, rate=20) as process:
        wait_for_samples(tmp_path / "run", at_least=20)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 3
    with open_store(tmp_path / "run") as store:
        samples, scheduled = classify_samples(store.samples()), store.schedule()
        reasons = [event.document["reason"] for event in store.events("interrupted")]
    assert reasons == ["interrupted"]
    assert 20 <= len(samples) < len(scheduled)
    assert len(samples) == ledger(target)["served"]


def locust(*options: str) -> subprocess.CompletedProcess[str]:
    """Plain Locust, in an environment that names nothing of ours."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("TRIPOINT_")}
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options]
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)


def locust_package() -> str:
    """Where Locust is installed; not imported here, for it patches the process."""
    spec = find_spec("locust")
    assert spec is not None
    assert spec.origin is not None
    return spec.origin


@contextmanager
def locust_running(folder: Path, images: Path, target: Target, *, rate: float) -> Iterator[subprocess.Popen[str]]:
    """Headless Locust on the quick scenario, as in a background job; its log is `folder/log`."""
    write_targets(folder / "targets.json", [target])
    files = ["--targets", str(folder / "targets.json"), "--images", str(images), "--run-dir", str(folder / "run")]
    options = ["--headless", "--only-summary", "--rate", str(rate)]
    with (folder / "log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options, *files],
            stdout=subprocess.DEVNULL,
            stderr=log,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=10)


def wait_for_samples(run_dir: Path, *, at_least: int) -> None:
    """Wait until the store holds that many samples of the schedule; they are counted from outside."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        if (run_dir / FILE_NAME).is_file():
            with open_store(run_dir) as store:
                if sum(store.counts().values()) >= at_least:
                    return
        time.sleep(0.05)
    pytest.fail(f"fewer than {at_least} samples after 60 s")
