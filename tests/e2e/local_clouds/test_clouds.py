"""Every local cloud as a user meets it: real runtimes behind a front door, cold and warm, errors, and its end."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
from PIL import Image

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions
from tests.kits.processes import runs

CLOUDS = contract.clouds()
GONE_WITHIN_S = 5.0


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, clouds.LocalCloud]]:
    with clouds.start(CLOUDS) as local:
        yield local


@pytest.fixture(scope="module")
def photo() -> bytes:
    """A small JPEG that is no photograph of anything."""
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").resize((320, 240)).save(encoded, "JPEG")
    return encoded.getvalue()


def ask(url: str, method: str = "POST", body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], Any]:
    """One request; the answer's status, headers in lower case, and JSON (or bytes)."""
    parts = urlsplit(url)
    assert parts.hostname
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, parts.path or "/", body, names)
        answer = connection.getresponse()
        text = answer.read()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return (
            answer.status,
            found,
            json.loads(text) if found.get("content-type", "").startswith("application/json") else text,
        )
    finally:
        connection.close()


def retire(local: clouds.LocalCloud) -> None:
    assert ask(f"{local.control}/retire")[0] == 200


def ledger(local: clouds.LocalCloud) -> list[dict[str, Any]]:
    text = ask(f"{local.control}/ledger", "GET")[2]
    records = [json.loads(line) for line in text.decode().splitlines()]
    assert records[0]["event"] == "opened"
    return records


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_post_of_image_bytes_classifies(cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes) -> None:
    status, headers, document = ask(running[cloud].url, body=photo, content_type="image/jpeg")
    assert status == 200
    assert headers["content-type"].startswith("application/json")
    assert len(document["predictions"]) == 5


def test_the_same_image_gets_the_same_predictions_from_every_cloud(
    running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    found = {json.dumps(ask(local.url, body=photo)[2]["predictions"]) for local in running.values()}
    assert len(found) == 1


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_first_request_after_a_new_version_waits_for_a_new_instance(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    retire(running[cloud])
    cold = ask(running[cloud].url, body=photo)[2]["instance"]
    warm = ask(running[cloud].url, body=photo)[2]["instance"]
    assert (cold["request_number"], warm["request_number"]) == (1, 2)
    assert cold["instance"] == warm["instance"]
    last = [record for record in ledger(running[cloud]) if record["event"] == "request"][-2:]
    assert [record["waited_for_new_instance"] for record in last] == [True, False]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_second_request_at_the_same_time_makes_a_second_instance_start(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    retire(running[cloud])
    before = len(ledger(running[cloud]))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: ask(running[cloud].url, body=photo)[0], range(2)))
    started = [record for record in ledger(running[cloud])[before:] if record["event"] == "instance_starting"]
    assert answers == [200, 200]
    assert len(started) == 2


@pytest.mark.parametrize(
    ("method", "path", "body", "kind"),
    [
        ("POST", "/", b"not an image at all", "image/jpeg"),
        ("POST", "/", b"", "image/jpeg"),
        ("POST", "/", b'{"url": ', "application/json"),
        ("POST", "/", b'{"picture": "x"}', "application/json"),
        ("GET", "/nothing", None, "text/plain"),
        ("DELETE", "/classify", None, "text/plain"),
        ("POST", "/", bytes(20_000_000), "image/jpeg"),
    ],
    ids=["broken image", "empty body", "broken JSON", "wrong field", "unknown path", "wrong method", "20 MB"],
)
def test_a_bad_request_gets_the_same_error_everywhere_and_the_next_request_works(
    method: str, path: str, body: bytes | None, kind: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    answers = {}
    for name, local in running.items():
        status, _, document = ask(local.url + path, method, body, content_type=kind)
        answers[name] = (status, json.dumps(document))
        assert ask(local.url, body=photo)[0] == 200
    assert len(set(answers.values())) == 1, answers
    status, text = answers[CLOUDS[0]]
    assert json.loads(text)["error"]["status"] == status
    assert 400 <= status < 500


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_instance_that_is_killed_is_replaced(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    first = ask(running[cloud].url, body=photo)[2]["instance"]["instance"]
    for instance in ask(f"{running[cloud].control}/state", "GET")[2]["instances"]:
        os.kill(instance["pid"], signal.SIGKILL)
    deadline_s = time.monotonic() + GONE_WITHIN_S
    while ask(f"{running[cloud].control}/state", "GET")[2]["instances"] and time.monotonic() < deadline_s:
        time.sleep(0.02)
    status, _, document = ask(running[cloud].url, body=photo)
    assert status == 200
    assert document["instance"]["instance"] != first


@pytest.mark.parametrize("cloud", CLOUDS)
def test_wrong_settings_are_told_and_change_nothing(cloud: str, running: dict[str, clouds.LocalCloud]) -> None:
    status, _, document = ask(f"{running[cloud].control}/settings", body=b'{"memory_mb": 7}')
    assert status == 400
    assert "memory 7 MB: expected" in document["error"]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_new_memory_size_is_a_new_version(cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes) -> None:
    control = running[cloud].control
    before = ask(f"{control}/state", "GET")[2]["version"]
    assert ask(f"{control}/settings", body=b'{"idle_life_s": 100}')[0] == 200
    assert ask(f"{control}/state", "GET")[2]["version"] == before
    assert ask(f"{control}/settings", body=b'{"memory_mb": 4096}')[2]["memory_mb"] == 4096
    assert ask(f"{control}/state", "GET")[2]["version"] == before + 1
    assert ask(running[cloud].url, body=photo)[2]["instance"]["request_number"] == 1


def test_null_gives_a_setting_back_what_it_was_at_the_start() -> None:
    with clouds.start(["aws"], EmulatorOptions(idle_life_s=77.0)) as local:
        control = local["aws"].control
        assert ask(f"{control}/settings", body=b'{"idle_life_s": 2}')[2]["idle_life_s"] == 2
        assert ask(f"{control}/settings", body=b'{"idle_life_s": null}')[2]["idle_life_s"] == 77


@contextmanager
def emulator(cloud: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """A local cloud in a process of its own, with its ready event."""
    command = [sys.executable, "-m", "adapters.emulator", cloud]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def everything_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    me = psutil.Process(process.pid)
    return [me, *me.children(recursive=True)]


def wait_until_gone(processes: list[psutil.Process], folder: str) -> None:
    deadline_s = time.monotonic() + GONE_WITHIN_S
    while time.monotonic() < deadline_s:
        alive = [each for each in processes if runs(each)]
        if not alive and not Path(folder).exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"left behind: {alive}, folder {folder}: {Path(folder).exists()}")


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
def test_nothing_is_left_of_a_local_cloud_that_is_ended(cloud: str, number: signal.Signals, photo: bytes) -> None:
    with emulator(cloud) as (process, ready):
        assert ask(ready["url"], body=photo)[0] == 200
        processes = everything_of(process)
        assert len(processes) >= 3, "the emulator, its guardian, and an instance"
        process.send_signal(number)
        process.wait()
        wait_until_gone(processes, ready["folder"])
    with pytest.raises(ConnectionRefusedError):
        ask(ready["url"], "GET")


def test_a_local_cloud_ends_while_an_instance_is_starting(photo: bytes) -> None:
    with emulator(CLOUDS[0]) as (process, ready):
        parts = urlsplit(ready["url"])
        assert parts.hostname
        connection = http.client.HTTPConnection(parts.hostname, parts.port)
        connection.request("POST", "/", photo)
        while not ask(f"{ready['control']}/state", "GET")[2]["instances"]:
            time.sleep(0.005)
        processes = everything_of(process)
        process.send_signal(signal.SIGTERM)
        process.wait()
        connection.close()
        wait_until_gone(processes, ready["folder"])


def test_a_guardian_that_is_killed_is_replaced(photo: bytes) -> None:
    with emulator(CLOUDS[0]) as (process, ready):
        for guardian in (each for each in everything_of(process) if "guardian.py" in " ".join(each.cmdline())):
            guardian.kill()
        assert ask(ready["url"], body=photo)[0] == 200
        assert ask(f"{ready['control']}/retire")[0] == 200
        assert ask(ready["url"], body=photo)[0] == 200
        processes = everything_of(process)
        process.kill()
        process.wait()
        wait_until_gone(processes, ready["folder"])


def test_an_unknown_cloud_is_told_with_the_known_ones() -> None:
    with (
        pytest.raises(clouds.CloudFailed, match=r"'oracle' did not start.*expected one of aws, azure, gcp"),
        clouds.start(["oracle"]),
    ):
        raise AssertionError("it must not start")
