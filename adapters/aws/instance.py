"""Start one local Lambda instance and pass it requests: Invoke, a Function URL, an HTTP API, a REST API."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.aws.local import execution_environment as environment
from adapters.aws.local import http_event, invoke_api, rest_event
from adapters.aws.local.invocation_modes import HTTP_API, REST_API, LambdaGate, too_large
from adapters.aws.local.replay import replay
from adapters.contract import HttpAnswer, InstanceFailed

if TYPE_CHECKING:
    from adapters.aws.local.execution_environment import ExecutionEnvironment, Outcome
    from adapters.contract import AdmissionPolicy, Environment, HttpRequest, Replay, StartInstance

_JSON = (("content-type", "application/json"),)
# A function that failed: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html (502) and
# docs.aws.amazon.com/apigateway/latest/developerguide/http-api-troubleshooting-lambda.html (500), as of 2026-11-20.
_FAILED: dict[str, HttpAnswer] = {
    "function-url": HttpAnswer(502, (("content-type", "text/plain"),), b"Internal Server Error"),
    HTTP_API: HttpAnswer(500, _JSON, b'{"message":"Internal Server Error"}'),
    REST_API: rest_event.MALFORMED,
}


@dataclass(frozen=True, slots=True)
class LambdaInstance:
    """One execution environment; it serves one request at a time."""

    environment: ExecutionEnvironment

    @property
    def pid(self) -> int:
        return self.environment.process.pid

    async def ready(self) -> None:
        await self.environment.initialise()

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request. Raises InstanceFailed, with the answer that Lambda gives, when it was the last one."""
        request_id = str(uuid.uuid4())
        if invoke_api.is_invocation(request):
            outcome = await self.environment.invoke(invoke_api.event_bytes(request), request_id)
            answer = invoke_api.answered(request, outcome, request_id)
        else:
            event = json.dumps(_event(request, request_id)).encode()
            if len(event) > invoke_api.EVENT_LIMIT_BYTES:
                return too_large(request.front)
            outcome = await self.environment.invoke(event, request_id)
            answer = http_answer(outcome, request_id, request.front)
        if outcome.lost is not None:
            raise InstanceFailed(outcome.lost, answer=answer)
        return answer

    async def stop(self) -> None:
        await self.environment.end()


def _event(request: HttpRequest, request_id: str) -> dict[str, Any]:
    if request.front == REST_API:
        return rest_event.rest_event(request, request_id=request_id)
    front: http_event.Front = "http-api" if request.front == HTTP_API else "function-url"
    return http_event.http_event(request, request_id=request_id, front=front)


def http_answer(outcome: Outcome, request_id: str, front: str) -> HttpAnswer:
    """A function's end as an HTTP front gives it; a Function URL is the one without a name."""
    if outcome.result.failed:
        answer = _FAILED.get(front, _FAILED["function-url"])
    else:
        read = rest_event.rest_answer if front == REST_API else http_event.http_answer
        answer = read(outcome.result.body)
    name = "apigw-requestid" if front == HTTP_API else "x-amzn-requestid"
    return HttpAnswer(answer.status, (*answer.headers, (name, request_id)), answer.body)


async def start(given: Environment) -> LambdaInstance:
    """Start one execution environment."""
    return LambdaInstance(await environment.launch(given))


gate = LambdaGate()

_start: StartInstance = start
_replay: Replay = replay
_gate: AdmissionPolicy = gate
