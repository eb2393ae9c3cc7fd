"""The front door: plain HTTP in, the platform's answer out."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web
from multidict import CIMultiDict

from adapters.contract import HttpAnswer, HttpRequest
from core.errors import BodyTooLarge
from core.wire import to_json

if TYPE_CHECKING:
    Serve = Callable[[HttpRequest], Awaitable[HttpAnswer]]

BODY_LIMIT_BYTES = 10_000_000  # the core's own default limit, so that the answer is the same on every cloud
DRAIN_LIMIT_BYTES = 256_000_000  # a client that is told while it still sends may miss the answer
_LAST_DATA = struct.Struct("52xI")  # linux/tcp.h: eight bytes, then eleven numbers before tcpi_last_data_recv
_TICK_MS = 10  # one jiffy at 100 Hz, the coarsest that kernels are built with
# Belong to one connection, not to the message (RFC 9110, 7.6.1), or are set anew by the server.
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "content-length",
    }
)


class TooLarge(Exception):
    """The body has more than the limit; `size_bytes` of it are known."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__(size_bytes)
        self.size_bytes = size_bytes


def server(serve: Serve, *, name: str = "") -> web.Server:
    """An HTTP server that hands every request to `serve`, compressed bodies as they came.

    `name` is that of the front door, where a cloud has several.
    """

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            body = await read_body(request)
        except TooLarge as error:
            return response(too_large(error.size_bytes))
        headers = tuple((name, value) for name, value in request.headers.items() if name.lower() != "expect")
        lay_s = queued_s(request.transport)
        return response(await serve(HttpRequest(request.method, request.raw_path, headers, body, name, lay_s)))

    return web.Server(handle, access_log=None, auto_decompress=False)


def queued_s(transport: asyncio.Transport | None) -> float:
    """Return the seconds that the complete request waited in the socket buffer; 0 below the kernel's clock tick.

    On a busy machine that is what decides whether a request came before an instance was ready. Linux alone tells:
    tcpi_last_data_recv of tcp(7), in ms.
    """
    connection = transport.get_extra_info("socket") if transport is not None else None
    if connection is None or sys.platform != "linux":
        return 0.0
    info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA.size)
    last_ms = int(_LAST_DATA.unpack(info)[0])
    return last_ms / 1000 if last_ms > _TICK_MS else 0.0


async def read_body(request: web.BaseRequest) -> bytes:
    """Read the body whole. Raises TooLarge, after reading it to its end (bounded)."""
    chunks: list[bytes] = []
    size_bytes = 0
    async for chunk in request.content.iter_any():
        size_bytes += len(chunk)
        if size_bytes <= BODY_LIMIT_BYTES:
            chunks.append(chunk)
        elif size_bytes > DRAIN_LIMIT_BYTES:
            break
    if size_bytes > BODY_LIMIT_BYTES:
        raise TooLarge(max(size_bytes, request.content_length or 0))
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def too_large(size_bytes: int) -> HttpAnswer:
    """What the core would answer; a body this large never reaches it."""
    error = BodyTooLarge(size_bytes, BODY_LIMIT_BYTES)
    return HttpAnswer(error.status, (("content-type", "application/json"),), to_json(error.document()).encode())


def response(answer: HttpAnswer) -> web.Response:
    """The function's headers go through; those of its connection do not."""
    kept = CIMultiDict((name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP)
    return web.Response(status=answer.status, headers=kept, body=answer.body)


async def listen(serving: web.Server) -> tuple[asyncio.Server, str]:
    """Open a free port on loopback; returns the server and its URL."""
    opened = await asyncio.get_running_loop().create_server(serving, "127.0.0.1", 0, backlog=1024)
    return opened, f"http://127.0.0.1:{opened.sockets[0].getsockname()[1]}"
