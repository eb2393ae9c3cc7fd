"""The same suite in Locust's other ways: its web page, and a master with a worker that was started elsewhere."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loadtests.launch import free_port
from loadtests.plan.targets import write_targets
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits.load import LOCUSTFILE, ledger, null_target, write_images


@contextmanager
def locust(log: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Locust with these options; it ends with the block."""
    with log.open("w", encoding="utf-8") as errors:
        command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=errors, stdin=subprocess.DEVNULL)
        try:
            yield process
        finally:
            process.kill()
            process.wait(timeout=10)


def test_the_web_page_starts_a_run_and_agrees_with_the_store(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    page = f"http://127.0.0.1:{free_port()}"
    with null_target("aws", "--delay-ms", "20", "--cold-ms", "150") as target:
        write_targets(tmp_path / "targets.json", [target])
        files = ["--targets", str(tmp_path / "targets.json"), "--images", str(images), "--run-dir"]
        web = ["--web-host", "127.0.0.1", "--web-port", page.rpartition(":")[2], "--scenario", "smoke"]
        with locust(tmp_path / "log", *files, str(tmp_path / "run"), *web) as process:
            answer = ask(f"{page}/swarm", {"user_count": "1", "spawn_rate": "1", "scenario": "smoke"})
            assert answer["success"] is True
            stats = until_stopped(page)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
    with open_store(tmp_path / "run") as store:
        samples = [sample for sample in classify_samples(store.samples()) if sample.index >= 0]
        assert [event.kind for event in store.events()][-1] == "finished"
    rows = {(row["method"], row["name"]): row for row in stats["stats"]}
    for state, count in (("warm", 20), ("cold", 1)):
        latencies = [sample.latency_ms or 0.0 for sample in samples if sample.state == state]
        row = rows[state, "aws"]
        assert len(latencies) == row["num_requests"] == count
        assert row["avg_response_time"] == pytest.approx(sum(latencies) / count, abs=0.01)


def pair(folder: Path, images: Path, workers_images: Path) -> tuple[list[str], list[str]]:
    """Options of a master and of a worker elsewhere, each with images of its own; the run goes below `folder`."""
    port = str(free_port())
    files = ["--targets", str(folder / "targets.json"), "--run-dir", str(folder / "run"), "--images", str(images)]
    bind = ["--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "1"]
    master = ["--master", "--headless", "--scenario", "smoke", *bind, *files]
    worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", port, "--images", str(workers_images)]
    return master, worker


def test_a_worker_elsewhere_takes_its_share_from_the_master(tmp_path: Path) -> None:
    images = write_images(tmp_path / "images")
    with null_target("aws") as target:
        write_targets(tmp_path / "targets.json", [target])
        master, worker = pair(tmp_path, images, images)
        with locust(tmp_path / "master", *master) as leading, locust(tmp_path / "worker", *worker) as following:
            assert leading.wait(timeout=60) == 0
            assert following.wait(timeout=20) == 0
        served = ledger(target)["served"]
    with open_store(tmp_path / "run") as store:
        samples, scheduled = classify_samples(store.samples()), store.schedule()
    assert len(samples) == served == len(scheduled) + 6


def ask(url: str, form: dict[str, str] | None = None) -> Any:
    """GET, or POST a form, until the page is up."""
    data = urllib.parse.urlencode(form).encode() if form is not None else None
    end_s = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, data=data, timeout=5) as answer:
                return json.load(answer)
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > end_s:
                raise
            time.sleep(0.1)


def until_stopped(page: str) -> Any:
    """The statistics of the page once the run is over."""
    end_s = time.monotonic() + 60
    while time.monotonic() < end_s:
        stats = ask(f"{page}/stats/requests")
        if stats["state"] == "stopped":
            return stats
        time.sleep(0.2)
    pytest.fail("the run did not end within 60 s")
