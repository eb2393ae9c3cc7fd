"""`tripoint serve` from outside: JSON lines, answers, and an end that leaves nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from adapters import contract
from tests.kits.processes import runs

GONE_WITHIN_S = 5.0


@contextmanager
def serve(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cli", "serve", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.kill()


def first_lines(process: subprocess.Popen[str], count: int) -> list[dict[str, Any]]:
    assert process.stdout is not None
    return [json.loads(process.stdout.readline()) for _ in range(count)]


def gone(processes: list[psutil.Process], folders: list[str]) -> bool:
    deadline_s = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < deadline_s:
        alive = [each for each in processes if runs(each)]
        if not alive and not any(Path(folder).exists() for folder in folders):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_serving_all_clouds_tells_each_url_and_ends_with_the_command(number: signal.Signals) -> None:
    with serve("all", "--json") as process:
        ready = first_lines(process, len(contract.clouds()))
        assert {event["cloud"] for event in ready} == set(contract.clouds())
        assert {event["event"] for event in ready} == {"ready"}
        for event in ready:
            with urllib.request.urlopen(f"{event['url']}/health", timeout=60) as answer:
                assert json.load(answer)["status"] == "ok"
        processes = psutil.Process(process.pid).children(recursive=True)
        assert len(processes) >= 3 * len(ready), "an emulator, its guardian and an instance of each cloud"
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert gone(processes, [event["folder"] for event in ready])
        if number is not signal.SIGKILL:
            assert (process.returncode, errors) == (0, "")


def test_a_cloud_that_ends_by_itself_ends_the_command_with_a_sentence() -> None:
    with serve("aws", "--json") as process:
        (ready,) = first_lines(process, 1)
        request = urllib.request.Request(f"{ready['control']}/shutdown", method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 202
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 2
        assert "local cloud 'aws' ended by itself; start it again" in errors


def test_without_json_every_event_is_a_line_for_people() -> None:
    with serve("gcp", "--memory", "512") as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("gcp: http://127.0.0.1:")
        hint = process.stdout.readline()
        assert "curl --data-binary" in hint
        url = next(word for word in hint.split() if word.startswith("http"))
        with urllib.request.urlopen(f"{url}/health", timeout=60):
            pass
        assert "instance starting 1" in process.stdout.readline()
        assert "instance ready 1" in process.stdout.readline()


def test_a_fault_holds_from_the_start_and_a_wrong_one_is_told() -> None:
    with serve("gcp", "--json", "--fault", "answer:status=503,times=1") as process:
        (ready,) = first_lines(process, 1)
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{ready['url']}/health", timeout=60)
        with urllib.request.urlopen(f"{ready['url']}/health", timeout=60) as answer:
            assert answer.status == 200
    with serve("gcp", "--fault", "fire") as process:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "unknown fault 'fire': expected one of kill, stall" in errors


def test_a_size_that_a_cloud_does_not_offer_is_told() -> None:
    with serve("azure", "--memory", "1000") as process:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "memory 1000 MB: expected one of 512, 2048, 4096 MB" in errors
