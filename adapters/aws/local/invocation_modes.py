"""What Lambda and its gateways answer themselves, before or instead of an instance.

Sources (as of 2026-11-20): docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (types, errors, limits);
/lambda/latest/dg/urls-invocation.html; /apigateway/latest/developerguide/http-api-quotas.html (10 MB);
/lambda/latest/dg/invocation-async-error-handling.html (two retries, after one and two minutes). As of 2026-11-25:
/apigateway/latest/developerguide/supported-gateway-response-types.html (403, 413 and 504 of a REST API), limits.html
(10 MB, 29 s); a throttled function is a 500 behind a REST API, for it returned no answer of the right shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from adapters.aws.local import invoke_api
from adapters.aws.local.rest_event import MALFORMED, below_stage
from adapters.contract import AdmissionDecision, FrontTimeout, HttpAnswer, HttpRequest, Rejection, load

HTTP_API, REST_API = "http-api", "rest-api"
ASYNC_LIMIT_BYTES = 1024 * 1024
_JSON = (("content-type", "application/json"),)
_RETRIES_S = (60.0, 120.0)
_THROTTLED_RETRY_S = 1.0


@dataclass(frozen=True, slots=True)
class LambdaGate:
    """The Invoke operation's own rules; requests to a URL pass, but for their size and, to a REST API, their stage.

    `wait_s` is how long each front door waits for the function.
    """

    wait_s: Mapping[str, float] = field(default_factory=lambda: dict(load("aws").data["platform"]["front_timeout_s"]))

    def admit(self, request: HttpRequest, /) -> AdmissionDecision:
        if request.front == REST_API and below_stage(request.target) is None:
            return AdmissionDecision(_gateway_says(403, "Forbidden", "ForbiddenException"))
        if not invoke_api.is_invocation(request):
            return self._admit_http(request)
        if request.method != "POST":
            return AdmissionDecision(
                invoke_api.refused(403, "AccessDeniedException", f"{request.method} is not Invoke: use POST")
            )
        kind = invoke_api.header(request, "x-amz-invocation-type") or "RequestResponse"
        wrong = _wrong(request, kind)
        if wrong is not None:
            return AdmissionDecision(wrong)
        if kind == "DryRun":
            return AdmissionDecision(HttpAnswer(204))
        if kind == "Event":
            return AdmissionDecision(HttpAnswer(202), later=request)
        return AdmissionDecision()

    def _admit_http(self, request: HttpRequest) -> AdmissionDecision:
        if len(request.body) > invoke_api.EVENT_LIMIT_BYTES:
            return AdmissionDecision(too_large(request.front))
        if request.front not in self.wait_s:
            return AdmissionDecision()
        return AdmissionDecision(patience=FrontTimeout(self.wait_s[request.front], _TOO_LATE[request.front]))

    def refuse(self, request: HttpRequest, refusal: Rejection, /) -> HttpAnswer | None:
        if request.front == REST_API:
            return MALFORMED if refusal.why == "start" else _gateway_says(500, "Internal server error")
        if invoke_api.is_invocation(request):
            return _api_refusal(refusal)
        if request.front == HTTP_API:
            words = "Internal Server Error" if refusal.why == "start" else "Service Unavailable"
            return HttpAnswer(500 if refusal.why == "start" else 503, _JSON, json.dumps({"message": words}).encode())
        return None

    def retry_after_s(self, answer: HttpAnswer, attempts: int, /) -> float | None:
        if answer.status == 429:
            return _THROTTLED_RETRY_S
        failed = any(name == "x-amz-function-error" for name, _ in answer.headers)
        return _RETRIES_S[attempts - 1] if failed and attempts <= len(_RETRIES_S) else None


def _wrong(request: HttpRequest, kind: str) -> HttpAnswer | None:
    """What is wrong with an invocation, if anything."""
    if kind not in ("RequestResponse", "Event", "DryRun"):
        message = f"invocation type {kind!r}: expected RequestResponse, Event or DryRun"
        return invoke_api.refused(400, "InvalidParameterValueException", message)
    limit_bytes = ASYNC_LIMIT_BYTES if kind == "Event" else invoke_api.EVENT_LIMIT_BYTES
    if len(request.body) > limit_bytes:
        size = f"{len(request.body)} byte payload is too large for the {kind} invocation type"
        return invoke_api.refused(413, "RequestTooLargeException", f"{size} (limit {limit_bytes} bytes)")
    try:
        invoke_api.event_bytes(request)
    except ValueError as error:
        return invoke_api.refused(
            400, "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        )
    return None


def too_large(front: str) -> HttpAnswer:
    """What a URL answers above 6 MB of event; base64 makes an image a third longer on its way into it."""
    if front == REST_API:
        return _gateway_says(413, "Request Too Long", "RequestEntityTooLargeException")
    words = "Request Entity Too Large" if front == HTTP_API else "Request Too Long"
    return HttpAnswer(413, _JSON, json.dumps({"message": words}).encode())


def _gateway_says(status: int, words: str, kind: str = "InternalServerErrorException") -> HttpAnswer:
    """An answer of a REST API itself, which names its kind in a header."""
    return HttpAnswer(status, (*_JSON, ("x-amzn-errortype", kind)), json.dumps({"message": words}).encode())


_TOO_LATE = {
    HTTP_API: HttpAnswer(503, _JSON, json.dumps({"message": "Service Unavailable"}).encode()),
    REST_API: _gateway_says(504, "Endpoint request timed out"),
}


def _api_refusal(refusal: Rejection) -> HttpAnswer | None:
    """A failed start is the function's fault: 200 with the runtime's own error, as RequestResponse gives it."""
    if refusal.why != "start":
        return None
    if refusal.failure is not None and refusal.failure.answer is not None:
        return refusal.failure.answer
    document = {"errorType": "Runtime.ExitError", "errorMessage": str(refusal.failure).partition("\n")[0]}
    headers = (*_JSON, ("x-amz-function-error", "Unhandled"), ("x-amz-executed-version", "$LATEST"))
    return HttpAnswer(200, headers, json.dumps(document).encode())
