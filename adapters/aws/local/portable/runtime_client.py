"""`runtime_client` in pure Python, for systems on which awslambdaric's native module of that name is missing.

awslambdaric has wheels for Linux only. This folder goes on the function's path where the native module cannot be
found (macOS), so that the rest of awslambdaric runs there as it is. One connection, kept open; no time limit, for
the next event may be long in coming. Source of the calls: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html,
as of 2026-11-20.
"""

from __future__ import annotations

import http.client
import os
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from email.message import Message

_PREFIX = "/2018-06-01/runtime/invocation/"
_DEADLINE = "Lambda-Runtime-Deadline-Ms"
_agent = "aws-lambda-python"


def initialize_client(user_agent: str) -> None:
    """Remember how to introduce ourselves."""
    global _agent
    _agent = user_agent


def next() -> tuple[bytes, dict[str, str | int]]:
    """Wait for an event; its bytes and headers, with the deadline (ms since 1970) as a number."""
    event, headers = _call("GET", "next", None, {}, expected=200)
    found: dict[str, str | int] = dict(headers.items())
    return event, {**found, _DEADLINE: int(headers[_DEADLINE])}


def post_invocation_result(
    invoke_id: str, data: bytes, content_type: str = "application/json", invocation_id: str | None = None
) -> None:
    """Hand over what the handler returned."""
    _call("POST", f"{invoke_id}/response", data, {"Content-Type": content_type}, expected=202)


def post_error(invoke_id: str, error: str, xray_fault: str, invocation_id: str | None = None) -> None:
    """Hand over the error document."""
    headers = {"Content-Type": "application/json", "Lambda-Runtime-Function-XRay-Error-Cause": xray_fault}
    _call("POST", f"{invoke_id}/error", error.encode(), headers, expected=202)


@lru_cache(maxsize=1)
def _connection() -> http.client.HTTPConnection:
    return http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def _call(
    method: str, path: str, body: bytes | None, headers: dict[str, str], *, expected: int
) -> tuple[bytes, Message]:
    """One call. Raises RuntimeError where the answer is not the expected one, as the native module does."""
    connection = _connection()
    connection.request(method, _PREFIX + path, body, {"User-Agent": _agent, **headers})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != expected:
        raise RuntimeError(f"{method} {path} was answered with {answer.status}: expected {expected}")
    return text, answer.headers
