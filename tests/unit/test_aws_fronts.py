"""HTTP requests to events and answers back, the Invoke operation's rules, and the report line."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from adapters.aws import api, environment
from adapters.aws.environment import ExecutionEnvironment, Outcome
from adapters.aws.gate import LambdaGate
from adapters.aws.payload import http_answer, http_event
from adapters.aws.runtime_api import ANSWER_LIMIT_BYTES, Invocation, Result, RuntimeApi
from adapters.contract import Environment, HttpAnswer, HttpRequest, InstanceFailed, Refusal
from adapters.emulator.custody import Custody
from adapters.emulator.launch import Launcher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

INVOKE = "/2015-03-31/functions/clothes/invocations"
GATE = LambdaGate()


def invocation(body: bytes = b"{}", method: str = "POST", **headers: str) -> HttpRequest:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest(method, INVOKE, pairs, body)


def test_an_http_request_becomes_a_function_url_event() -> None:
    headers = (("Host", "127.0.0.1"), ("X-A", "1"), ("x-a", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "curl"))
    request = HttpRequest("POST", "/a%20b?k=1&k=2&e=", headers, b"\xff\xd8")
    event = http_event(request, request_id="0-1")
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a b")
    assert event["rawQueryString"] == "k=1&k=2&e="
    assert event["queryStringParameters"] == {"k": "1,2", "e": ""}
    assert event["headers"]["x-a"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert base64.b64decode(event["body"]) == b"\xff\xd8"
    assert event["isBase64Encoded"] is True
    http = event["requestContext"]["http"]
    assert (http["method"], http["userAgent"], http["sourceIp"]) == ("POST", "curl", "127.0.0.1")
    assert event["requestContext"]["requestId"] == "0-1"
    assert ".lambda-url." in event["requestContext"]["domainName"]


def test_an_http_apis_event_names_the_account_and_its_own_domain() -> None:
    context = http_event(HttpRequest("GET", "/"), request_id="0", front="http-api")["requestContext"]
    assert context["accountId"] == environment.ACCOUNT
    assert ".execute-api." in context["domainName"]


@pytest.mark.parametrize(
    ("kind", "body", "encoded"),
    [
        ("application/json; charset=utf-8", b"{}", False),
        ("text/plain", "ä".encode(), False),
        ("text/plain", b"\xff", True),
        ("image/jpeg", b"{}", True),
        ("", b"{}", True),
    ],
)
def test_text_goes_as_it_is_and_everything_else_in_base64(kind: str, body: bytes, encoded: bool) -> None:
    event = http_event(HttpRequest("POST", "/", (("content-type", kind),), body), request_id="0")
    assert event["isBase64Encoded"] is encoded
    assert (base64.b64decode(event["body"]) if encoded else event["body"].encode()) == body


def test_no_body_is_no_body() -> None:
    assert "body" not in http_event(HttpRequest("GET", "/"), request_id="0")


def test_a_mapping_with_a_status_is_an_http_answer_and_anything_else_is_json() -> None:
    value = {"statusCode": 201, "headers": {"A": 1}, "cookies": ["c=1"], "body": "aGk=", "isBase64Encoded": True}
    answer = http_answer(json.dumps(value).encode())
    assert (answer.status, answer.body) == (201, b"hi")
    assert answer.headers == (("a", "1"), ("content-type", "application/json"), ("set-cookie", "c=1"))
    assert http_answer(b'{"hat": 0.9}') == HttpAnswer(200, (("content-type", "application/json"),), b'{"hat": 0.9}')
    assert http_answer(b"[1]").body == b"[1]"


def test_an_invocation_is_served_and_an_event_is_accepted_and_run_later() -> None:
    assert GATE.admit(invocation()).answer is None
    request = invocation(x_amz_invocation_type="Event")
    admission = GATE.admit(request)
    assert admission.answer is not None
    assert (admission.answer.status, admission.later) == (202, request)


@pytest.mark.parametrize(
    ("request_", "status", "kind"),
    [
        (invocation(b"{", x_amz_invocation_type="RequestResponse"), 400, "InvalidRequestContentException"),
        (invocation(x_amz_invocation_type="Later"), 400, "InvalidParameterValueException"),
        (invocation(bytes(api.EVENT_LIMIT_BYTES + 1)), 413, "RequestTooLargeException"),
        (invocation(bytes(1024 * 1024 + 1), x_amz_invocation_type="Event"), 413, "RequestTooLargeException"),
        (invocation(method="GET"), 403, "AccessDeniedException"),
    ],
)
def test_what_the_invoke_operation_refuses_has_the_name_that_boto3_raises(
    request_: HttpRequest, status: int, kind: str
) -> None:
    answer = GATE.admit(request_).answer
    assert answer is not None
    assert answer.status == status
    assert dict(answer.headers)["x-amzn-errortype"] == kind


def test_a_dry_run_is_204_and_runs_nothing() -> None:
    admission = GATE.admit(invocation(x_amz_invocation_type="DryRun"))
    assert admission.answer is not None
    assert (admission.answer.status, admission.later) == (204, None)


def test_a_url_above_6_mb_gets_the_platforms_own_413() -> None:
    body = bytes(api.EVENT_LIMIT_BYTES + 1)
    answer = GATE.admit(HttpRequest("POST", "/", (), body)).answer
    assert answer is not None
    assert (answer.status, answer.body) == (413, b'{"message": "Request Too Long"}')
    assert GATE.admit(HttpRequest("POST", "/", (), body[:-1])).answer is None


def test_without_an_instance_each_front_says_so_in_its_own_way() -> None:
    full = Refusal("full")
    assert GATE.refuse(invocation(), full) is None, "cloud.toml has the 429 of the API and of URLs"
    api_front = HttpRequest("GET", "/", front="http-api")
    throttled, broken = GATE.refuse(api_front, full), GATE.refuse(api_front, Refusal("start"))
    assert throttled is not None
    assert broken is not None
    assert (throttled.status, broken.status) == (503, 500)


def test_a_failed_start_is_the_functions_error_for_the_invoke_operation() -> None:
    said = HttpAnswer(200, (("x-amz-function-error", "Unhandled"),), b'{"errorType": "Runtime.ImportModuleError"}')
    assert GATE.refuse(invocation(), Refusal("start", InstanceFailed("…", answer=said))) == said
    answer = GATE.refuse(invocation(), Refusal("start", InstanceFailed("it died\nlog")))
    assert answer is not None
    assert json.loads(answer.body) == {"errorType": "Runtime.ExitError", "errorMessage": "it died"}


def test_an_event_is_tried_three_times_when_the_function_fails_and_on_when_it_is_throttled() -> None:
    failed = HttpAnswer(200, (("x-amz-function-error", "Unhandled"),))
    assert [GATE.retry_after_s(failed, attempts) for attempts in (1, 2, 3)] == [60.0, 120.0, None]
    assert GATE.retry_after_s(HttpAnswer(429), 9) == 1.0
    assert GATE.retry_after_s(HttpAnswer(200), 1) is None


def test_the_answer_of_an_invocation_carries_the_log_only_when_asked() -> None:
    outcome = Outcome(Result(b"{}", failed=True), b"START\nREPORT\n")
    plain = dict(api.answered(invocation(), outcome, "id").headers)
    tailed = dict(api.answered(invocation(x_amz_log_type="Tail"), outcome, "id").headers)
    assert plain["x-amz-function-error"] == "Unhandled"
    assert "x-amz-log-result" not in plain
    assert base64.b64decode(tailed["x-amz-log-result"]) == b"START\nREPORT\n"


HANDLER = """
import os, sys, time
print("loading")
def lambda_handler(event, context):
    print("event", sorted(event), context.aws_request_id, flush=True)
    match event.get("do"):
        case "exit": os._exit(3)
        case "sleep": time.sleep(60)
        case "raise": raise ValueError("on purpose")
        case "large": return "x" * 7_000_000
    return {"left_ms": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with a handler that misbehaves on demand."""
    folder = tmp_path / "adapters" / "aws"
    folder.mkdir(parents=True)
    for package in (folder.parent, folder):
        (package / "__init__.py").write_text("")
    (folder / "handler.py").write_text(HANDLER)
    return tmp_path


@pytest.fixture
def custody() -> Iterator[Custody]:
    kept = Custody()
    yield kept
    kept.close()


def with_environment(
    bundle: Path,
    custody: Custody,
    use: Callable[[ExecutionEnvironment], Awaitable[Any]],
    *,
    timeout_s: float = 30.0,
    init_timeout_s: float = 30.0,
) -> Any:
    """Run `use` on an environment with a real awslambdaric process in it."""

    async def whole() -> Any:
        launcher = Launcher(custody=custody, bundle=bundle, folder=bundle / "logs", exited=lambda: None)
        given = Environment("aws", "clothes", "1", bundle, 512, 0.29, 1, timeout_s, init_timeout_s, launcher)
        started = await environment.launch(given)
        try:
            return await use(started)
        finally:
            await started.end()
            await launcher.end()

    return asyncio.run(whole())


def event(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def test_a_real_runtime_answers_and_reports_initialisation_once(bundle: Path, custody: Custody) -> None:
    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        return [await started.invoke(event(a="1"), f"id-{number}") for number in (1, 2)]

    first, second = with_environment(bundle, custody, use)
    value = json.loads(first.result.body)
    assert value["memory"] == "512"
    assert 0 < value["left_ms"] <= 30_000
    lines = first.log.decode().splitlines()
    assert lines[0] == "START RequestId: id-1 Version: $LATEST"
    assert "event ['a'] id-1" in lines
    assert lines[-2] == "END RequestId: id-1"
    number = r"(\d+\.\d\d)"
    report = re.fullmatch(
        rf"REPORT RequestId: id-1\tDuration: {number} ms\tBilled Duration: (\d+) ms\t"
        rf"Memory Size: 512 MB\tMax Memory Used: (\d+) MB\tInit Duration: {number} ms\t",
        lines[-1],
    )
    assert report is not None, lines[-1]
    duration, billed, memory, init = map(float, report.groups())
    assert billed - 1 < round(duration + init, 2) <= billed + 0.01
    assert 5 < memory < 512
    assert b"Init Duration" not in second.log


def test_the_portable_client_stands_in_for_the_native_module(
    bundle: Path, custody: Custody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder comes first on the path, as where there is no native module."""
    monkeypatch.setattr(environment, "runtime_paths", lambda: [str(environment.PORTABLE)])
    handler = bundle / "adapters" / "aws" / "handler.py"
    handler.write_text(HANDLER + "import runtime_client; print('client', runtime_client.__file__, flush=True)")

    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        assert str(environment.PORTABLE) in started.process.log_tail()
        return [await started.invoke(event(do=do), "id") for do in ("nothing", "raise", "nothing")]

    first, failed, last = with_environment(bundle, custody, use)
    assert json.loads(first.result.body).get("memory") == "512", first
    assert json.loads(failed.result.body)["errorType"] == "ValueError"
    assert not last.result.failed


def test_where_awslambdaric_is_missing_it_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    monkeypatch.setenv("TRIPOINT_AWS_RUNTIME", str(tmp_path))
    with pytest.raises(InstanceFailed, match=r"awslambdaric is neither installed nor in .*pip install --target"):
        environment.runtime_paths()
    (tmp_path / "awslambdaric").mkdir()
    assert environment.runtime_paths() == [str(environment.PORTABLE), str(tmp_path)]


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("exit", "Runtime.ExitError", "RequestId: id Error: Runtime exited with error: exit status 3"),
        ("sleep", "Sandbox.Timedout", "RequestId: id Error: Task timed out after 1.00 seconds"),
    ],
)
def test_an_environment_that_dies_or_runs_out_of_time_is_lost(
    do: str, kind: str, message: str, bundle: Path, custody: Custody
) -> None:
    async def use(started: ExecutionEnvironment) -> Outcome:
        await started.initialise()
        return await started.invoke(event(do=do), "id")

    outcome: Outcome = with_environment(bundle, custody, use, timeout_s=1.0)
    assert json.loads(outcome.result.body) == {"errorType": kind, "errorMessage": message}
    assert outcome.lost == message


def test_an_exception_is_an_error_and_the_environment_goes_on(bundle: Path, custody: Custody) -> None:
    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        return [await started.invoke(event(do=do), "id") for do in ("raise", "nothing")]

    failed, fine = with_environment(bundle, custody, use)
    assert failed.result.failed
    assert json.loads(failed.result.body)["errorType"] == "ValueError"
    assert failed.lost is None
    assert not fine.result.failed


def test_an_answer_above_6_mb_is_an_error(bundle: Path, custody: Custody) -> None:
    async def use(started: ExecutionEnvironment) -> Outcome:
        await started.initialise()
        return await started.invoke(event(do="large"), "id")

    outcome: Outcome = with_environment(bundle, custody, use)
    document = json.loads(outcome.result.body)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    assert str(ANSWER_LIMIT_BYTES) in document["errorMessage"]


def test_a_handler_that_cannot_be_imported_is_told_with_the_runtimes_own_error(
    bundle: Path, custody: Custody
) -> None:
    (bundle / "adapters" / "aws" / "handler.py").write_text("import no_such_module")

    async def use(started: ExecutionEnvironment) -> HttpAnswer | None:
        with pytest.raises(InstanceFailed, match=r"did not initialise: .*No module named 'no_such_module'") as caught:
            await started.initialise()
        return caught.value.answer

    answer: HttpAnswer = with_environment(bundle, custody, use)
    assert json.loads(answer.body)["errorType"] == "Runtime.ImportModuleError"


def test_initialisation_has_a_limit(bundle: Path, custody: Custody) -> None:
    (bundle / "adapters" / "aws" / "handler.py").write_text("import time; time.sleep(60)")

    async def use(started: ExecutionEnvironment) -> None:
        with pytest.raises(InstanceFailed, match=r"did not initialise within 0\.5 s"):
            await started.initialise()

    with_environment(bundle, custody, use, init_timeout_s=0.5)


def test_the_runtime_api_knows_only_its_own_calls() -> None:
    async def whole() -> list[int]:
        runtime = RuntimeApi()
        await runtime.open()
        base = f"http://{runtime.address}/2018-06-01/runtime/"
        given = asyncio.ensure_future(
            runtime.invoke(Invocation("id", b'{"a": 1}', {"Lambda-Runtime-Deadline-Ms": "9"}))
        )
        async with aiohttp.ClientSession() as session:
            async with session.get(base + "invocation/next") as answer:
                assert await answer.json() == {"a": 1}
                assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "9"
            statuses = []
            for path in ("invocation/other/response", "nothing", "invocation/id/response", "invocation/id/response"):
                async with session.post(base + path, data=b"true") as answer:
                    statuses.append(answer.status)
        assert (await given).body == b"true"
        await runtime.close()
        return statuses

    assert asyncio.run(whole())[:3] == [404, 404, 202]


def test_memory_is_read_of_a_living_process_and_the_limit_stands_for_a_dead_one() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        assert environment.used_mb(ended.pid, 128) == 128
    assert 1 < environment.used_mb(os.getpid(), 10**6) < 10**6
