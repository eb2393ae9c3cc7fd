"""One HTTP exchange, timed: connect, TLS, the wait for the answer's first line, the answer.

Sockets are the standard library's, which Locust has made cooperative by the time this is imported; the parser
is geventhttpclient's, the fastest that Locust brings. A connection is used again when the server keeps it.

What arrives is stamped at once and parsed when nothing else arrives: when many answers come together, as at the
end of a stall, none is stamped late because others are being parsed.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from time import perf_counter
from types import TracebackType
from urllib.parse import urlsplit

import gevent
from gevent.lock import BoundedSemaphore
from geventhttpclient.response import HTTPParseError, HTTPResponse

from loadtests.send.response import HttpResponse

FAILURES = (OSError, HTTPParseError)

# Answers are parsed one at a time, and before every few of them all that has arrived is stamped.
PARSING = BoundedSemaphore(1)
LOOK_EVERY = 4
TURNS = count()


@dataclass(slots=True)
class HttpConnection:
    """An open socket, and what opening it cost; None when it was open already."""

    socket: socket.socket
    connect_ms: float | None = None
    tls_ms: float | None = None


@dataclass
class HttpEndpoint:
    """One URL that bodies are POSTed to; `timeout_s` bounds a whole exchange, connecting included."""

    url: str
    timeout_s: float = 60.0
    headers: dict[str, str] = field(default_factory=dict)
    idle: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        self.secure = parts.scheme == "https"
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if self.secure else 80)
        lines = {"Host": parts.netloc.rpartition("@")[2], "User-Agent": "tripoint", "Accept": "application/json"}
        fields = "".join(f"{name}: {value}\r\n" for name, value in {**lines, **self.headers}.items())
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._head = f"POST {target} HTTP/1.1\r\n{fields}"

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    def post(self, body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
        """Send `body`, with more `headers`, and read the whole answer.

        Raises one of FAILURES; TimeoutError after `timeout_s`.
        """
        fields = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"{self._head}{fields}Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        message = head.encode("latin-1") + body
        sent_s = perf_counter()
        with Deadline(self.timeout_s):
            connection = self._connection()
            try:
                answer = self._exchange(connection, message, sent_s=sent_s)
            except BaseException:
                connection.socket.close()
                raise
        return answer

    def close(self) -> None:
        """Close the connections that wait to be used again."""
        while self.idle:
            self.idle.pop().close()

    def _exchange(self, connection: HttpConnection, message: bytes, *, sent_s: float) -> HttpResponse:
        connection.socket.sendall(message)
        reply = ResponseReader()
        first_s, done_s = reply.read(connection.socket)
        if reply.should_close():
            connection.socket.close()
        else:
            self.idle.append(connection.socket)
        headers = {name.lower(): value for name, value in reply.items()}
        return HttpResponse(
            status=reply.status_code,
            headers=headers,
            body=bytes(reply.body),
            sent_s=sent_s,
            done_s=done_s,
            connect_ms=connection.connect_ms,
            tls_ms=connection.tls_ms,
            answer_ms=(done_s - first_s) * 1000,
            request_bytes=len(message),
            response_bytes=reply.size_bytes,
        )

    def _connection(self) -> HttpConnection:
        while self.idle:
            kept = self.idle.pop()
            if is_quiet(kept):
                return HttpConnection(kept)
            kept.close()
        return self._connect()

    def _connect(self) -> HttpConnection:
        started_s = perf_counter()
        opened = socket.create_connection((self.host, self.port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected_s = perf_counter()
        connect_ms = (connected_s - started_s) * 1000
        if not self.secure:
            return HttpConnection(opened, connect_ms)
        try:
            wrapped = self._tls.wrap_socket(opened, server_hostname=self.host)
        except BaseException:
            opened.close()
            raise
        return HttpConnection(wrapped, connect_ms, (perf_counter() - connected_s) * 1000)


class ResponseReader(HTTPResponse):
    """One answer, as it is read."""

    def __init__(self) -> None:
        super().__init__(method="POST")
        self.body = bytearray()
        self.size_bytes = 0

    def read(self, source: socket.socket) -> tuple[float, float]:
        """Read a whole answer; return when its first and its last bytes were here, in `perf_counter` seconds."""
        first_s: float | None = None
        while not (self.message_complete and self.status_code >= 200):  # an interim 1xx answer is not the end
            data = source.recv(65536)
            now_s = perf_counter()
            first_s = now_s if first_s is None else first_s
            self.size_bytes += len(data)
            with PARSING:
                if next(TURNS) % LOOK_EVERY == 0:
                    gevent.idle()
                self.feed(data) if data else self._end()
        assert first_s is not None
        return first_s, now_s

    def _end(self) -> None:
        """The server closed the connection: the end of an answer without a length, or a failure."""
        with suppress(HTTPParseError):
            self.feed(b"")
        if not self.message_complete:
            raise ConnectionResetError(f"the connection was closed after {self.size_bytes} bytes of an answer")

    def _on_body(self, buf: bytearray) -> None:
        self.body += buf


def is_quiet(kept: socket.socket) -> bool:
    """Whether a kept connection is still usable: one that is readable while idle was closed, or is out of step."""
    readable, _, _ = select.select([kept], [], [], 0)
    return not readable


class Deadline:
    """Raises TimeoutError in the block, at any point of it, when `timeout_s` have passed."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._timeout = gevent.Timeout(timeout_s)

    def __enter__(self) -> None:
        self._timeout.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timeout.close()
        if error is self._timeout:
            raise TimeoutError(f"no whole answer within {self._timeout_s:g} s") from None
