"""How one execution environment of AWS Lambda is asked: the Invoke operation, a Function URL, an HTTP API."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.aws import api, environment, events
from adapters.aws.recorded import replay
from adapters.contract import HttpAnswer, InstanceFailed

if TYPE_CHECKING:
    from adapters.aws.environment import ExecutionEnvironment, Outcome
    from adapters.contract import Environment, HttpRequest, Replay, StartInstance

# docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html: 502 when the function failed, read 2026-11-20.
_URL_FAILED = HttpAnswer(502, (("content-type", "text/plain"),), b"Internal Server Error")
_URL_TOO_LARGE = HttpAnswer(413, (("content-type", "application/json"),), b'{"message":"Request Too Long"}')


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
        invocation = api.is_invocation(request)
        if invocation:
            event = api.event_bytes(request)
        else:
            event = json.dumps(events.http_event(request, request_id=request_id)).encode()
            if len(event) > api.EVENT_LIMIT_BYTES:
                return _URL_TOO_LARGE
        outcome = await self.environment.invoke(event, request_id)
        answer = api.answered(request, outcome, request_id) if invocation else url_answer(outcome, request_id)
        if outcome.lost is not None:
            raise InstanceFailed(outcome.lost, answer=answer)
        return answer

    async def stop(self) -> None:
        await self.environment.end()


def url_answer(outcome: Outcome, request_id: str) -> HttpAnswer:
    """A function's end as a Function URL gives it."""
    answer = _URL_FAILED if outcome.result.failed else events.http_answer(outcome.result.body)
    return HttpAnswer(answer.status, (*answer.headers, ("x-amzn-requestid", request_id)), answer.body)


async def start(given: Environment) -> LambdaInstance:
    """Start one execution environment."""
    return LambdaInstance(await environment.launch(given))


_start: StartInstance = start
_replay: Replay = replay
