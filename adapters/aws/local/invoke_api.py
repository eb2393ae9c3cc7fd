"""The Invoke operation of Lambda's API, as boto3's `lambda.invoke` and plain clients call it.

Source: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, as of 2026-11-20. One function runs here, so every
function name, ARN and qualifier means it.
"""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING

from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from adapters.aws.local.execution_environment import Outcome
    from adapters.contract import HttpRequest

EVENT_LIMIT_BYTES = 6 * 1024 * 1024
_PATH = re.compile(r"/2015-03-31/functions/[^/?]+/invocations(\?.*)?")


def is_invocation(request: HttpRequest) -> bool:
    """Whether the request goes to the Invoke operation, and not to a URL of the function."""
    return _PATH.fullmatch(request.target) is not None


def header(request: HttpRequest, name: str) -> str:
    """The last value of a header, "" without one; `name` in lower case."""
    return next((value for key, value in reversed(request.headers) if key.lower() == name), "")


def event_bytes(request: HttpRequest) -> bytes:
    """The event. Raises ValueError when it is not JSON; no body at all is an empty event."""
    event = request.body or b"{}"
    json.loads(event)
    return event


def answered(request: HttpRequest, outcome: Outcome, request_id: str) -> HttpAnswer:
    """A function's end as RequestResponse gives it: 200 in any case, errors marked by a header."""
    headers = [
        ("content-type", "application/json"),
        ("x-amzn-requestid", request_id),
        ("x-amz-executed-version", "$LATEST"),
    ]
    if outcome.result.failed:
        headers.append(("x-amz-function-error", "Unhandled"))
    if header(request, "x-amz-log-type") == "Tail":
        headers.append(("x-amz-log-result", base64.b64encode(outcome.log).decode()))
    return HttpAnswer(200, tuple(headers), outcome.result.body)


def refused(status: int, kind: str, message: str) -> HttpAnswer:
    """An error of the API itself, which boto3 raises under the name `kind`."""
    headers = (("content-type", "application/json"), ("x-amzn-errortype", kind))
    return HttpAnswer(status, headers, json.dumps({"Type": "User", "message": message}).encode())
