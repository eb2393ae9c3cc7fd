"""The Lambda Runtime API of one execution environment, on a loopback port of its own.

Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html (version 2018-06-01), read 2026-11-20. A path
prefix in AWS_LAMBDA_RUNTIME_API breaks `init/error`, hence one port for each environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

PREFIX = "/2018-06-01/runtime/"
# "Response payload size exceeded maximum allowed payload size (6291556 bytes)": 6 MB and 100 bytes for an envelope.
ANSWER_LIMIT_BYTES = 6_291_556


@dataclass(frozen=True, slots=True)
class Invocation:
    """One event on its way into the function; `headers` are the Lambda-Runtime-* ones."""

    request_id: str
    event: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class InvocationResult:
    """What the runtime posted: the function's return value as JSON, or the error document when `failed`."""

    body: bytes
    failed: bool = False


class RuntimeApi:
    """Speaks with one runtime process: it asks for the next event, we hand one out at a time."""

    def __init__(self) -> None:
        self.initialised = asyncio.Event()
        self.init_error: bytes | None = None
        self.address = ""
        self._next: asyncio.Queue[Invocation] = asyncio.Queue()
        self._results: dict[str, asyncio.Future[InvocationResult]] = {}
        self._exits = contextlib.AsyncExitStack()

    async def open(self) -> None:
        """Listen on a free port."""
        serving = web.Server(self._answer, access_log=None, handler_cancellation=True)
        opened = await asyncio.get_running_loop().create_server(serving, "127.0.0.1", 0)
        self._exits.push_async_callback(serving.shutdown, 0.05)
        self._exits.callback(opened.close)
        self.address = f"127.0.0.1:{opened.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        await self._exits.aclose()

    async def invoke(self, invocation: Invocation) -> InvocationResult:
        """Hand out one event and wait for its result."""
        result: asyncio.Future[InvocationResult] = asyncio.get_running_loop().create_future()
        self._results[invocation.request_id] = result
        self._next.put_nowait(invocation)
        try:
            return await result
        finally:
            del self._results[invocation.request_id]

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path.removeprefix(PREFIX)
        if (request.method, path) == ("GET", "invocation/next"):
            return await self._hand_out()
        body = await _read(request)
        if path == "init/error":
            self.init_error = body
            self.initialised.set()
            return web.Response(status=202)
        kind, _, rest = path.partition("/")
        request_id, _, verb = rest.partition("/")
        if kind != "invocation" or verb not in ("response", "error") or request_id not in self._results:
            return _refusal(404, "InvalidRequestID", f"no such call: {request.method} {request.path}")
        if len(body) > ANSWER_LIMIT_BYTES:
            return self._refuse_answer(request_id, len(body))
        self._settle(request_id, InvocationResult(body, failed=verb == "error"))
        return web.Response(status=202)

    async def _hand_out(self) -> web.Response:
        self.initialised.set()
        invocation = await self._next.get()
        headers = {"Content-Type": "application/json", **invocation.headers}
        return web.Response(body=invocation.event, headers=headers)

    def _refuse_answer(self, request_id: str, size_bytes: int) -> web.Response:
        message = f"Response payload size exceeded maximum allowed payload size ({ANSWER_LIMIT_BYTES} bytes)."
        self._settle(request_id, InvocationResult(_document("Function.ResponseSizeTooLarge", message), failed=True))
        return _refusal(413, "RequestEntityTooLarge", f"{message} It has {size_bytes} bytes.")

    def _settle(self, request_id: str, result: InvocationResult) -> None:
        if not (waiting := self._results[request_id]).done():
            waiting.set_result(result)


async def _read(request: web.BaseRequest) -> bytes:
    """The body whole; `BaseRequest.read` stops at 1 MB."""
    return b"".join([chunk async for chunk in request.content.iter_any()])


def _document(kind: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode()


def _refusal(status: int, kind: str, message: str) -> web.Response:
    return web.Response(status=status, body=_document(kind, message), content_type="application/json")
