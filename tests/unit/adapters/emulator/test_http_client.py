"""The small HTTP client in front of a local runtime, against servers that answer byte for byte."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from adapters.contract import HttpAnswer, HttpRequest
from adapters.emulator.http_client import Upstream, UpstreamClosed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\nServer: s\r\nDate: d\r\n\r\nok"


@dataclass
class Script:
    """A server that gives one canned answer per request; `connections` and `received` tell what it saw."""

    answers: list[bytes]
    then_close: bool = False
    connections: int = 0
    received: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.answers and (head := await self._read(reader)):
            self.received.append(head)
            writer.write(self.answers.pop(0))
            await writer.drain()
            if self.then_close:
                break
        writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                head += await reader.readexactly(int(line.split(b":")[1]))
        return head


def exchanged(script: Script, *requests: HttpRequest) -> list[HttpAnswer]:
    """The answers to `requests`, sent one after the other."""

    async def run() -> list[HttpAnswer]:
        server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
        upstream = Upstream(server.sockets[0].getsockname()[1])
        try:
            return [await upstream.exchange(request, extra=(("x-extra", "1"),)) for request in requests]
        finally:
            upstream.close()
            server.close()
            await server.wait_closed()

    return asyncio.run(run())


GET = HttpRequest("GET", "/a?b=c")


def test_an_answer_keeps_status_body_and_the_headers_between_the_ends() -> None:
    (answer,) = exchanged(Script([OK]), GET)
    assert answer == HttpAnswer(200, (("Content-Type", "text/plain"),), b"ok")


def test_a_request_is_sent_without_hop_by_hop_headers_and_with_its_length() -> None:
    script = Script([OK])
    headers = (("Host", "h"), ("Connection", "close"), ("Content-Length", "99"), ("X-A", "1"))
    exchanged(script, HttpRequest("POST", "/a?b=c", headers, b"body"))
    assert script.received == [
        b"POST /a?b=c HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nx-extra: 1\r\ncontent-length: 4\r\n\r\nbody"
    ]


def test_a_connection_is_used_again() -> None:
    script = Script([OK] * 3)
    exchanged(script, GET, GET, GET)
    assert (script.connections, len(script.received)) == (1, 3)


def test_a_connection_that_the_server_closes_is_not_used_again() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    script = Script([closing] * 2, then_close=True)
    assert [answer.body for answer in exchanged(script, GET, GET)] == [b"ok", b"ok"]
    assert script.connections == 2


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
            b"abcde",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["chunked", "after 100 Continue", "204"],
)
def test_every_framing_is_read_to_its_end(raw: bytes, body: bytes) -> None:
    first, second = exchanged(Script([raw, OK]), GET, GET)
    assert (first.body, second.body) == (body, b"ok")


def test_an_answer_that_ends_with_the_connection_is_whole() -> None:
    (answer,) = exchanged(Script([b"HTTP/1.0 200 OK\r\n\r\nto the end"], then_close=True), GET)
    assert answer.body == b"to the end"


def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n"
    first, second = exchanged(Script([head, OK]), HttpRequest("HEAD", "/"), GET)
    assert (first.body, second.body) == (b"", b"ok")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nConte",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        b"no http at all\r\n\r\n",
    ],
)
def test_a_broken_answer_is_told_and_the_request_is_not_sent_again(raw: bytes) -> None:
    script = Script([raw, OK], then_close=True)
    with pytest.raises(UpstreamClosed):
        exchanged(script, GET)
    assert len(script.received) == 1


def test_nobody_listening_is_told() -> None:
    async def run() -> None:
        server = await asyncio.start_server(Script([]).serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        await Upstream(port).exchange(GET)

    with pytest.raises(UpstreamClosed):
        asyncio.run(run())


def test_a_connection_that_was_idle_too_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.emulator.http_client._REUSE_S", 0.0)
    script = Script([OK] * 3)
    exchanged(script, GET, GET, GET)
    assert script.connections == 3
