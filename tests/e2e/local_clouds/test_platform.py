"""What a platform does around its instances: Lambda's API through boto3, faults on demand, 200 starts and stops."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from PIL import Image

from adapters import contract
from adapters.emulator import clouds, overhead
from adapters.emulator.options import EmulatorOptions
from loadtests.record.evidence import parse_header
from tests.paths import ROOT

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

CLOUDS = contract.clouds()
MANIFEST = ROOT / "model" / "clothes" / "manifest.json"


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, clouds.LocalCloud]]:
    with clouds.start(CLOUDS, EmulatorOptions(max_instances=2)) as local:
        yield local


@pytest.fixture(scope="module")
def photo() -> bytes:
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


@pytest.fixture(scope="module")
def lambda_(running: dict[str, clouds.LocalCloud]) -> LambdaClient:
    session = boto3.Session(aws_access_key_id="any", aws_secret_access_key="any", region_name="us-east-1")
    once = Config(retries={"total_max_attempts": 1})
    client: LambdaClient = session.client("lambda", endpoint_url=running["aws"].url, config=once)
    return client


def ask(url: str, method: str = "POST", body: bytes | None = None) -> tuple[int, dict[str, str], Any]:
    parts = urlsplit(url)
    assert parts.hostname
    with contextlib.closing(HTTPConnection(parts.hostname, parts.port, timeout=60)) as connection:
        connection.request(method, parts.path or "/", body)
        answer = connection.getresponse()
        text = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, headers, json.loads(text) if text[:1] in (b"{", b"[") else text


def ledger(local: clouds.LocalCloud) -> list[dict[str, Any]]:
    parts = urlsplit(local.control)
    assert parts.hostname
    with contextlib.closing(HTTPConnection(parts.hostname, parts.port, timeout=60)) as connection:
        connection.request("GET", "/ledger")
        return [json.loads(line) for line in connection.getresponse().read().splitlines()]


@contextlib.contextmanager
def fault(local: clouds.LocalCloud, **fields: object) -> Iterator[None]:
    assert ask(f"{local.control}/faults", body=json.dumps(fields).encode())[0] == 200
    try:
        yield
    finally:
        assert ask(f"{local.control}/faults", "DELETE")[2] == []


def payload(photo: bytes) -> bytes:
    return json.dumps({"image": base64.b64encode(photo).decode()}).encode()


def test_boto3_invokes_unchanged_and_gets_the_log(lambda_: LambdaClient, photo: bytes) -> None:
    answer = lambda_.invoke(FunctionName="clothes", Payload=payload(photo), LogType="Tail")
    scores = json.loads(answer["Payload"].read())
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert len(scores) == 10
    assert all(isinstance(score, float) for score in scores.values())
    log = base64.b64decode(answer["LogResult"]).decode()
    assert log.startswith("START RequestId: ")
    assert "REPORT RequestId: " in log


def test_the_log_of_an_instance_outlives_it(
    lambda_: LambdaClient, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    answer = lambda_.invoke(FunctionName="clothes", Payload=payload(photo), LogType="Tail")
    [report] = [line for line in base64.b64decode(answer["LogResult"]).splitlines() if line.startswith(b"REPORT ")]
    assert ask(f"{running['aws'].control}/retire")[0] == 200
    assert report in ask(f"{running['aws'].control}/logs", "GET")[2].splitlines()


def test_an_instance_passes_on_how_lambda_says_it_came_to_be(
    running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    _, headers, document = ask(running["aws"].url, body=photo)
    assert document["instance"]["platform"] == "on-demand"
    report = parse_header(headers["x-tripoint-instance"])
    assert report is not None
    assert report.platform == "on-demand"


def test_the_courses_client_gets_a_bare_mapping(image_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It posts {"url": …} to the invocations path of a function named `function`, as AWS's own emulator has it."""
    monkeypatch.setenv("TRIPOINT_FETCH_PRIVATE", "allow")  # the photograph lies on loopback here
    with clouds.start(["aws"]) as local:
        url = f"{local['aws'].url}/2015-03-31/functions/function/invocations"
        status, _, scores = ask(url, body=json.dumps({"url": image_url}).encode())
    assert status == 200
    assert set(scores) == set(json.loads(MANIFEST.read_text())["labels"])
    assert sum(scores.values()) == pytest.approx(1, abs=0.05)


def test_boto3_reaches_the_function_by_arn_and_gets_errors_by_name(lambda_: LambdaClient) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:function:clothes"
    assert lambda_.invoke(FunctionName=arn, InvocationType="DryRun")["StatusCode"] == 204
    with pytest.raises(lambda_.exceptions.RequestTooLargeException):
        lambda_.invoke(FunctionName=arn, Payload=b'"' + b"x" * 6_300_000 + b'"')
    with pytest.raises(lambda_.exceptions.InvalidRequestContentException):
        lambda_.invoke(FunctionName=arn, Payload=b"{")


def test_an_event_is_accepted_at_once_and_runs_afterwards(
    lambda_: LambdaClient, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    before = sum(record["event"] == "request" for record in ledger(running["aws"]))
    answer = lambda_.invoke(FunctionName="clothes", Payload=payload(photo), InvocationType="Event")
    assert answer["StatusCode"] == 202
    while sum(record["event"] == "request" for record in ledger(running["aws"])) == before:
        time.sleep(0.01)


def test_at_the_limit_lambda_throttles_by_name_and_without(
    lambda_: LambdaClient, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    with fault(running["aws"], fault="slow-start", delay_s=1.0), ThreadPoolExecutor(4) as pool:
        assert ask(f"{running['aws'].control}/retire")[0] == 200
        answers = [pool.submit(lambda_.invoke, FunctionName="clothes", Payload=payload(photo)) for _ in range(4)]
        errors = [error for answer in answers if (error := answer.exception()) is not None]
    assert len(errors) == 2, "two instances at most"
    for error in errors:
        assert isinstance(error, ClientError)
        assert error.response["Error"]["Code"] == "TooManyRequestsException"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_every_front_door_of_a_cloud_classifies(running: dict[str, clouds.LocalCloud], photo: bytes) -> None:
    assert set(running["aws"].fronts) == {"function-url", "http-api", "rest-api"}
    for local in running.values():
        for url in local.fronts.values():
            assert len(ask(url, body=photo)[2]["predictions"]) == 5


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_instance_killed_in_mid_request_is_a_5xx_and_the_next_request_is_served(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    local = running[cloud]
    assert ask(f"{local.control}/retire")[0] == 200
    assert ask(local.url, body=photo)[0] == 200
    with fault(local, fault="kill", times=1):
        assert ask(local.url, body=photo)[0] in (500, 502, 503)
        status, _, document = ask(local.url, body=photo)
    assert status == 200
    assert document["instance"]["request_number"] == 1
    assert [record for record in ledger(local) if record["event"] == "instance_ended"][-1]["reason"] == "failed"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_instance_that_will_not_start_is_told_and_the_next_one_starts(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    local = running[cloud]
    with fault(local, fault="refuse-start", times=1):
        assert ask(f"{local.control}/retire")[0] == 200
        assert ask(local.url, body=photo)[0] in (502, 503)
        assert ask(local.url, body=photo)[0] == 200


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_stalled_instance_answers_late_and_a_platform_error_comes_without_one(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    local = running[cloud]
    assert ask(local.url, body=photo)[0] == 200
    with fault(local, fault="stall", delay_s=0.3, times=1):
        assert ask(local.url, body=photo)[0] == 200
        stalled = ledger(local)[-1]
        assert stalled["at_s"] - stalled["assigned_s"] >= 0.3
    with fault(local, fault="answer", status=429, times=2):
        assert [ask(local.url, body=photo)[0] for _ in range(3)] == [429, 429, 200]


TIMED_OUT = {"aws": 502, "azure": 500, "gcp": 504}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_a_request_that_runs_out_of_time_is_ended_as_the_platform_ends_it(cloud: str, photo: bytes) -> None:
    with clouds.start([cloud], EmulatorOptions(max_instances=1, timeout_s=5.0)) as running:
        local = running[cloud]
        assert ask(local.url, body=photo)[0] == 200
        assert ask(f"{local.control}/settings", body=b'{"timeout_s": 0.5}')[0] == 200
        assert ask(f"{local.control}/retire")[0] == 200
        assert ask(f"{local.url}/health", "GET")[0] == 200
        with fault(local, fault="stall", delay_s=1.5, times=1):
            assert ask(local.url, body=photo)[0] == TIMED_OUT[cloud]
        assert ask(f"{local.control}/settings", body=b'{"timeout_s": 30}')[0] == 200
        assert ask(f"{local.control}/retire")[0] == 200
        assert ask(local.url, body=photo)[0] == 200


@pytest.mark.parametrize("cloud", [name for name in CLOUDS if name != "aws"])
def test_an_instance_serves_as_many_requests_at_once_as_its_concurrency(cloud: str, photo: bytes) -> None:
    with clouds.start([cloud], EmulatorOptions(concurrency=8, max_instances=1)) as running:
        local = running[cloud]
        assert ask(local.url, body=photo)[0] == 200
        with fault(local, fault="stall", delay_s=0.5, times=1), ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(local.url, body=photo), range(8)))
        assert [answer[0] for answer in answers] == [200] * 8
        assert len({answer[2]["instance"]["instance"] for answer in answers}) == 1
        requests = [record for record in ledger(local) if record["event"] == "request"][1:]
        begun = max(record["assigned_s"] for record in requests)
        assert begun < min(record["at_s"] for record in requests), "all were inside before the first came out"


def test_a_fault_that_does_not_exist_is_told_with_those_that_do(running: dict[str, clouds.LocalCloud]) -> None:
    status, _, document = ask(f"{running['gcp'].control}/faults", body=b'{"fault": "fire"}')
    assert status == 400
    assert "unknown fault 'fire': expected one of kill, stall, refuse-start" in document["error"]


def test_provisioned_instances_are_there_before_the_first_request(photo: bytes) -> None:
    with clouds.start(["aws"], EmulatorOptions(min_instances=1)) as running:
        local = running["aws"]
        while not any(record["event"] == "instance_ready" for record in ledger(local)):
            time.sleep(0.01)
        assert ask(local.url, body=photo)[0] == 200
        (request,) = [record for record in ledger(local) if record["event"] == "request"]
        assert request["waited_for_new_instance"] is False


def test_two_hundred_starts_and_stops_leak_nothing() -> None:
    """Instances of a real runtime, one after the other, in one emulator: no process, file or group stays."""
    command = [sys.executable, "-m", "adapters.emulator", "aws", "--options", '{"max_instances": 4}']
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        me = psutil.Process(process.pid)
        try:
            counts = []
            for _ in range(50):
                with ThreadPoolExecutor(4) as pool:
                    statuses = list(pool.map(lambda _: ask(f"{ready['url']}/health", "GET")[0], range(4)))
                assert statuses == [200] * 4
                assert ask(f"{ready['control']}/retire")[0] == 200
                counts.append(
                    (len(me.children(recursive=True)), me.num_fds(), len(list(Path(ready["folder"]).iterdir())))
                )
            processes, files, entries = (values[-1] - values[4] for values in zip(*counts, strict=True))
            assert (processes, entries) == (0, 0)
            assert files <= 4, "a connection of each client may still be closing; a leak would show 180"
            assert counts[-1][0] == 1, "the guardian alone"
            assert not list(Path(ready["folder"], "instances").iterdir())
            assert not [path for path in groups() if f"-{process.pid}-" in path.name]
        finally:
            process.terminate()
            process.communicate()
    assert not Path(ready["folder"]).exists()


def test_the_overhead_benchmark_measures_every_cloud() -> None:
    for cloud in CLOUDS:
        found = overhead.measure(cloud, requests=5)
        assert 0 < found.added_ms < found.through_ms
        assert (found.against_direct_ms is None) == (cloud != "gcp"), "gunicorn alone has a port of its own"


def groups() -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob("*/**/tripoint-*"))
