"""A small keep-alive HTTP/1.1 client for one loopback server; it adds a fraction of a millisecond to a request."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from adapters.contract import Headers, HttpRequest

HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# The front door sets these itself.
_OWN = HOP_BY_HOP | {"content-length", "date", "server"}
_HEAD_LIMIT_BYTES = 64 * 1024
_READ_BYTES = 256 * 1024
# gunicorn closes a connection after 2 s of silence (docs.gunicorn.org, settings, keepalive; as of 2026-11-20);
# one that is younger than this is safe to use again.
_REUSE_S = 1.0


class UpstreamClosed(Exception):
    """The server closed the connection before it gave a whole answer."""


class _Connection:
    """A socket and what was read ahead from it; with asyncio's streams a request would cost half as much again."""

    def __init__(self, raw: socket.socket) -> None:
        self.last_used_s = 0.0
        self._raw = raw
        self._loop = asyncio.get_running_loop()
        self._ahead = b""

    @classmethod
    async def open(cls, port: int) -> _Connection:
        """Connect to 127.0.0.1:`port`."""
        raw = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = cls(raw)
        try:
            await connection._loop.sock_connect(raw, ("127.0.0.1", port))
        except BaseException:
            raw.close()
            raise
        return connection

    async def write(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._raw, data)

    async def read_until(self, mark: bytes) -> bytes:
        """Everything up to and with `mark`, which comes within 64 KiB."""
        while (at := self._ahead.find(mark)) < 0:
            if len(self._ahead) > _HEAD_LIMIT_BYTES:
                raise UpstreamClosed("the head of its answer is longer than 64 KiB")
            self._ahead += await self._receive()
        return self._take(at + len(mark))

    async def read_exactly(self, size: int) -> bytes:
        parts, held = [self._ahead], len(self._ahead)
        while held < size:
            parts.append(await self._receive())
            held += len(parts[-1])
        self._ahead = b"".join(parts)
        return self._take(size)

    async def read_to_end(self) -> bytes:
        parts = [self._take(len(self._ahead))]
        while part := await self._loop.sock_recv(self._raw, _READ_BYTES):
            parts.append(part)
        return b"".join(parts)

    def ended(self) -> bool:
        """Whether the server closed it, or sent what nobody asked for."""
        try:
            self._raw.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        self._raw.close()

    async def _receive(self) -> bytes:
        part = await self._loop.sock_recv(self._raw, _READ_BYTES)
        if not part:
            raise UpstreamClosed("it closed the connection in the middle of its answer")
        return part

    def _take(self, size: int) -> bytes:
        taken, self._ahead = self._ahead[:size], self._ahead[size:]
        return taken


@dataclass(slots=True)
class Upstream:
    """A pool of connections to 127.0.0.1:`port`."""

    port: int
    _idle: list[_Connection] = field(default_factory=list)

    async def exchange(self, request: HttpRequest, *, extra: Headers = ()) -> HttpAnswer:
        """Send `request` with the `extra` headers and return the answer.

        Raises UpstreamClosed when the connection breaks before the answer is whole. A request is never sent twice.
        """
        connection = await self._connect()
        kept = False
        try:
            await connection.write(_encode(request, extra))
            answer, kept = await _read_answer(connection, method=request.method)
        except (OSError, ValueError) as error:
            raise UpstreamClosed(str(error)) from error
        finally:
            if not kept:
                connection.close()
        if kept:
            connection.last_used_s = time.monotonic()
            self._idle.append(connection)
        return answer

    async def _connect(self) -> _Connection:
        now_s = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if now_s - connection.last_used_s < _REUSE_S and not connection.ended():
                return connection
            connection.close()
        try:
            return await _Connection.open(self.port)
        except OSError as error:
            raise UpstreamClosed(str(error)) from error

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().close()


def listening_ports(pid: int, *, descendants: bool = False) -> frozenset[int]:
    """The ports that process `pid` (and its descendants) listens on; empty when it is gone."""
    found: set[int] = set()
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *(process.children(recursive=True) if descendants else ())):
            found |= {
                connection.laddr.port
                for connection in each.net_connections("tcp")
                if connection.status == psutil.CONN_LISTEN
            }
    return frozenset(found)


def _encode(request: HttpRequest, extra: Headers) -> bytes:
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    sent = {name.lower() for name, _ in extra}
    for name, value in (*request.headers, *extra):
        lowered = name.lower()
        if lowered not in HOP_BY_HOP and lowered not in {"content-length", "expect"}:
            lines.append(f"{name}: {value}")
            sent.add(lowered)
    if "host" not in sent:
        lines.append("host: 127.0.0.1")
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        lines.append(f"content-length: {len(request.body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + request.body


async def _read_answer(connection: _Connection, *, method: str) -> tuple[HttpAnswer, bool]:
    """Read one answer, and say whether the connection can be used again."""
    while True:
        head = (await connection.read_until(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        version, status_text = first.split(" ", 2)[:2]
        status = int(status_text)
        if status >= 200:
            break
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    fields = {name.lower(): value.lower() for name, value in headers}
    body, framed = await _read_body(connection, fields, empty=method == "HEAD" or status in {204, 304})
    reusable = framed and version == "HTTP/1.1" and fields.get("connection") != "close"
    kept = tuple((name, value) for name, value in headers if name.lower() not in _OWN)
    return HttpAnswer(status=status, headers=kept, body=body), reusable


async def _read_body(connection: _Connection, fields: dict[str, str], *, empty: bool) -> tuple[bytes, bool]:
    """The body, and whether its end was told by the server rather than by the end of the connection."""
    if empty:
        return b"", True
    if fields.get("transfer-encoding") == "chunked":
        return await _read_chunks(connection), True
    if "content-length" in fields:
        return await connection.read_exactly(int(fields["content-length"])), True
    return await connection.read_to_end(), False


async def _read_chunks(connection: _Connection) -> bytes:
    parts = []
    while size := int((await connection.read_until(b"\r\n")).split(b";")[0], 16):
        parts.append(await connection.read_exactly(size))
        await connection.read_exactly(2)
    while await connection.read_until(b"\r\n") != b"\r\n":
        pass
    return b"".join(parts)
