"""A small keep-alive HTTP/1.1 client for one loopback server; it adds a fraction of a millisecond to a request."""

from __future__ import annotations

import asyncio
import contextlib
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
# gunicorn closes a connection after 2 s of silence (docs.gunicorn.org, settings, keepalive; read 2026-11-20);
# one that is younger than this is safe to use again.
_REUSE_S = 1.0


class UpstreamClosed(Exception):
    """The server closed the connection before it gave a whole answer."""


@dataclass(slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    last_used_s: float = 0.0


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
        try:
            connection.writer.write(_encode(request, extra))
            answer, reusable = await _read_answer(connection.reader, method=request.method)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            connection.writer.close()
            raise UpstreamClosed(str(error)) from error
        except asyncio.CancelledError:
            connection.writer.close()
            raise
        if reusable:
            connection.last_used_s = time.monotonic()
            self._idle.append(connection)
        else:
            connection.writer.close()
        return answer

    async def _connect(self) -> _Connection:
        now_s = time.monotonic()
        while self._idle:
            connection = self._idle.pop()
            if now_s - connection.last_used_s < _REUSE_S and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, limit=_HEAD_LIMIT_BYTES)
        except OSError as error:
            raise UpstreamClosed(str(error)) from error
        return _Connection(reader, writer)

    def close(self) -> None:
        """Close every idle connection."""
        while self._idle:
            self._idle.pop().writer.close()


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


async def _read_answer(reader: asyncio.StreamReader, *, method: str) -> tuple[HttpAnswer, bool]:
    """Read one answer, and say whether the connection can be used again."""
    while True:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head[:-4].split("\r\n")
        version, status_text = first.split(" ", 2)[:2]
        status = int(status_text)
        if status >= 200:
            break
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    fields = {name.lower(): value.lower() for name, value in headers}
    body, framed = await _read_body(reader, fields, empty=method == "HEAD" or status in {204, 304})
    reusable = framed and version == "HTTP/1.1" and fields.get("connection") != "close"
    kept = tuple((name, value) for name, value in headers if name.lower() not in _OWN)
    return HttpAnswer(status=status, headers=kept, body=body), reusable


async def _read_body(reader: asyncio.StreamReader, fields: dict[str, str], *, empty: bool) -> tuple[bytes, bool]:
    """The body, and whether its end was told by the server rather than by the end of the connection."""
    if empty:
        return b"", True
    if fields.get("transfer-encoding") == "chunked":
        return await _read_chunks(reader), True
    if "content-length" in fields:
        return await reader.readexactly(int(fields["content-length"])), True
    return await reader.read(-1), False


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while await reader.readuntil(b"\r\n") != b"\r\n":
        pass
    return b"".join(parts)
