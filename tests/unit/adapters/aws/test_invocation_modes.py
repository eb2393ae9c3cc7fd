"""HTTP requests to events and answers back, and the Invoke operation's rules."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from adapters.aws import instance, translate
from adapters.aws.local import execution_environment, invoke_api
from adapters.aws.local.execution_environment import Outcome
from adapters.aws.local.http_event import http_answer, http_event
from adapters.aws.local.invocation_modes import LambdaGate
from adapters.aws.local.rest_event import rest_answer, rest_event
from adapters.aws.local.runtime_api import InvocationResult
from adapters.contract import HttpAnswer, HttpRequest, InstanceFailed, Rejection

EVENTS = Path(instance.__file__).parent / "events"
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
    assert context["accountId"] == execution_environment.ACCOUNT
    assert ".execute-api." in context["domainName"]


def rest(method: str = "POST", target: str = "/live/", body: bytes = b"", **headers: str) -> HttpRequest:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HttpRequest(method, target, pairs, body, front="rest-api")


def test_an_http_request_becomes_a_rest_apis_event() -> None:
    headers = (("Host", "127.0.0.1"), ("X-A", "1"), ("X-A", "2"), ("Cookie", "a=1; b=2"), ("User-Agent", "curl"))
    request = HttpRequest("POST", "/live/a%20b?k=1&k=2%202&e=", headers, b"\xff\xd8", front="rest-api")
    event = rest_event(request, request_id="0-1")
    assert (event["resource"], event["path"], event["httpMethod"]) == ("/{proxy+}", "/a%20b", "POST")
    assert event["pathParameters"] == {"proxy": "a b"}
    assert event["queryStringParameters"] == {"k": "2 2", "e": ""}
    assert event["multiValueQueryStringParameters"] == {"k": ["1", "2 2"], "e": [""]}
    assert event["headers"]["X-A"] == "2"
    assert event["multiValueHeaders"]["X-A"] == ["1", "2"]
    assert event["headers"]["Cookie"] == "a=1; b=2"
    assert base64.b64decode(event["body"]) == b"\xff\xd8"
    assert event["isBase64Encoded"] is True
    context = event["requestContext"]
    assert (context["path"], context["stage"], context["resourcePath"]) == ("/live/a%20b", "live", "/{proxy+}")
    assert context["identity"]["userAgent"] == "curl"
    assert translate.decode(event).path == "/a%20b"


@pytest.mark.parametrize("name", ["rest_image_bytes", "rest_health", "rest_json_image", "rest_empty_body"])
def test_a_rest_apis_event_has_every_field_of_the_recorded_one_and_no_other(name: str) -> None:
    """Field by field, of the same kind, below as well: but headers differ, and the recorded API took text as text."""
    recorded = json.loads((EVENTS / f"{name}.json").read_text())["event"]
    query = "&".join(f"{key}={value}" for key, value in (recorded["queryStringParameters"] or {}).items())
    headers = tuple((key, value) for key, value in recorded["headers"].items() if not key.startswith("X-"))
    target = recorded["requestContext"]["path"] + (f"?{query}" if query else "")
    body = (recorded["body"] or "").encode()
    live = target.replace("/prod", "/live")
    event = rest_event(HttpRequest(recorded["httpMethod"], live, headers, body), request_id="b1c2-1")
    assert _kinds(event) == _kinds({**recorded, "isBase64Encoded": event["isBase64Encoded"]})
    for same in ("resource", "path", "httpMethod", "pathParameters", "queryStringParameters", "headers"):
        wanted = recorded[same]
        got = event[same]
        assert set(got) == set(wanted) if same == "headers" else got == wanted


def _kinds(value: object) -> object:
    """The shape of a document: names, and of each value its kind."""
    if isinstance(value, dict):
        return {name: _kinds(each) for name, each in value.items()}
    return [_kinds(value[0])] if isinstance(value, list) else type(value).__name__


@pytest.mark.parametrize("target", ["/live", "/live/", "/live?k=1", "/live/?k=1"])
def test_the_stage_itself_is_the_root(target: str) -> None:
    event = rest_event(rest("GET", target), request_id="0")
    assert (event["resource"], event["path"], event["pathParameters"]) == ("/", "/", None)
    assert event["body"] is None
    assert event["isBase64Encoded"] is False


def test_behind_a_rest_api_text_comes_in_base64_too_for_every_type_is_binary() -> None:
    event = rest_event(rest(body=b'{"url": "x"}', content_type="application/json"), request_id="0")
    assert (event["isBase64Encoded"], base64.b64decode(event["body"])) == (True, b'{"url": "x"}')
    assert translate.decode(event).body == b'{"url": "x"}'


def test_a_rest_api_answers_502_to_a_return_value_of_another_shape() -> None:
    value = {"statusCode": 201, "headers": {"A": 1}, "multiValueHeaders": {"B": [1, 2]}, "body": "hi"}
    answer = rest_answer(json.dumps(value).encode())
    pairs = (("a", "1"), ("b", "1"), ("b", "2"), ("content-type", "application/json"))
    assert (answer.status, answer.headers, answer.body) == (201, pairs, b"hi")
    for wrong in (
        b'{"hat": 0.9}',
        b"[1]",
        b"null",
        b'{"statusCode": "ok"}',
        b'{"statusCode": 200, "body": {"a": 1}}',
    ):
        answer = rest_answer(wrong)
        assert (answer.status, json.loads(answer.body)) == (502, {"message": "Internal server error"}), wrong


@pytest.mark.parametrize("target", ["/", "/classify", "/lives/", "/liv", "/prod/", INVOKE])
def test_outside_its_stage_a_rest_api_forbids(target: str) -> None:
    answer = GATE.admit(rest("POST", target)).answer
    assert answer is not None
    assert (answer.status, json.loads(answer.body)) == (403, {"message": "Forbidden"})


def test_each_gateway_waits_its_own_time_and_says_so_in_its_own_words() -> None:
    assert GATE.admit(HttpRequest("POST", "/", front="function-url")).patience is None
    assert GATE.admit(invocation()).patience is None
    late = GATE.admit(rest()).patience
    assert late is not None
    assert (late.wait_s, late.answer.status) == (29, 504)
    assert json.loads(late.answer.body) == {"message": "Endpoint request timed out"}
    late = GATE.admit(HttpRequest("POST", "/", front="http-api")).patience
    assert late is not None
    assert (late.wait_s, late.answer.status) == (30, 503)


def test_a_rest_api_says_internal_server_error_for_every_failure_behind_it() -> None:
    full, broken = GATE.refuse(rest(), Rejection("full")), GATE.refuse(rest(), Rejection("start"))
    failed = instance.http_answer(Outcome(InvocationResult(b"{}", failed=True), b""), "id", "rest-api")
    assert full is not None
    assert broken is not None
    assert [each.status for each in (full, broken, failed)] == [500, 502, 502], "throttled is 500 there"
    assert {json.loads(each.body)["message"] for each in (full, broken, failed)} == {"Internal server error"}
    large = GATE.admit(rest(body=bytes(invoke_api.EVENT_LIMIT_BYTES + 1))).answer
    assert large is not None
    assert (large.status, json.loads(large.body)) == (413, {"message": "Request Too Long"})


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
        (invocation(bytes(invoke_api.EVENT_LIMIT_BYTES + 1)), 413, "RequestTooLargeException"),
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
    body = bytes(invoke_api.EVENT_LIMIT_BYTES + 1)
    answer = GATE.admit(HttpRequest("POST", "/", (), body)).answer
    assert answer is not None
    assert (answer.status, answer.body) == (413, b'{"message": "Request Too Long"}')
    assert GATE.admit(HttpRequest("POST", "/", (), body[:-1])).answer is None


def test_without_an_instance_each_front_says_so_in_its_own_way() -> None:
    full = Rejection("full")
    assert GATE.refuse(invocation(), full) is None, "cloud.toml has the 429 of the API and of URLs"
    api_front = HttpRequest("GET", "/", front="http-api")
    throttled, broken = GATE.refuse(api_front, full), GATE.refuse(api_front, Rejection("start"))
    assert throttled is not None
    assert broken is not None
    assert (throttled.status, broken.status) == (503, 500)


def test_a_failed_start_is_the_functions_error_for_the_invoke_operation() -> None:
    said = HttpAnswer(200, (("x-amz-function-error", "Unhandled"),), b'{"errorType": "Runtime.ImportModuleError"}')
    assert GATE.refuse(invocation(), Rejection("start", InstanceFailed("…", answer=said))) == said
    answer = GATE.refuse(invocation(), Rejection("start", InstanceFailed("it died\nlog")))
    assert answer is not None
    assert json.loads(answer.body) == {"errorType": "Runtime.ExitError", "errorMessage": "it died"}


def test_an_event_is_tried_three_times_when_the_function_fails_and_on_when_it_is_throttled() -> None:
    failed = HttpAnswer(200, (("x-amz-function-error", "Unhandled"),))
    assert [GATE.retry_after_s(failed, attempts) for attempts in (1, 2, 3)] == [60.0, 120.0, None]
    assert GATE.retry_after_s(HttpAnswer(429), 9) == 1.0
    assert GATE.retry_after_s(HttpAnswer(200), 1) is None


def test_the_answer_of_an_invocation_carries_the_log_only_when_asked() -> None:
    outcome = Outcome(InvocationResult(b"{}", failed=True), b"START\nREPORT\n")
    plain = dict(invoke_api.answered(invocation(), outcome, "id").headers)
    tailed = dict(invoke_api.answered(invocation(x_amz_log_type="Tail"), outcome, "id").headers)
    assert plain["x-amz-function-error"] == "Unhandled"
    assert "x-amz-log-result" not in plain
    assert base64.b64decode(tailed["x-amz-log-result"]) == b"START\nREPORT\n"
