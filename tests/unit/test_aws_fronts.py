"""HTTP requests to events and answers back, and the Invoke operation's rules."""

from __future__ import annotations

import base64
import json

import pytest

from adapters.aws import api, environment
from adapters.aws.environment import Outcome
from adapters.aws.gate import LambdaGate
from adapters.aws.payload import http_answer, http_event
from adapters.aws.runtime_api import Result
from adapters.contract import HttpAnswer, HttpRequest, InstanceFailed, Refusal

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
