"""One exchange against a small server of raw sockets, which breaks HTTP in the ways that servers do."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from loadtests.send.endpoint import HttpEndpoint

if TYPE_CHECKING:
    from loadtests.send.response import HttpResponse

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}"


@contextmanager
def server(*connections: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """Answer the n-th connection's requests with its list of answers, then close it; requests are noted."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def serve() -> None:
            for answers in connections:
                try:
                    accepted, _ = listener.accept()
                except OSError:
                    return
                with accepted:
                    accepted.settimeout(10)
                    for answer in answers:
                        seen.append(accepted.recv(65536))
                        accepted.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/classify?top_k=3", seen
        finally:
            thread.join(timeout=15)


def post(url: str, body: bytes = b"a") -> HttpResponse:
    with closing(HttpEndpoint(url)) as endpoint:
        return endpoint.post(body, content_type="image/png")


def test_a_request_is_sent_whole_and_the_answer_is_read_whole() -> None:
    with server([OK]) as (url, seen):
        answer = post(url, b"picture")
    assert (answer.status, answer.body, answer.headers["x-a"]) == (200, b"{}", "b")
    assert answer.response_bytes == len(OK)
    assert answer.request_bytes == len(seen[0])
    assert seen[0].startswith(b"POST /classify?top_k=3 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Type: image/png\r\nContent-Length: 7\r\n\r\npicture" in seen[0]
    assert answer.done_s > answer.sent_s
    assert answer.answer_ms >= 0


def test_a_connection_is_used_again_and_then_costs_nothing() -> None:
    with server([OK, OK]) as (url, seen):
        endpoint = HttpEndpoint(url)
        first = endpoint.post(b"a", content_type="image/png")
        second = endpoint.post(b"b", content_type="image/png")
        endpoint.close()
    assert (first.connect_ms or 0) > 0
    assert (second.connect_ms, second.tls_ms) == (None, None)
    assert len(seen) == 2


def test_a_connection_that_the_server_closed_is_not_used_again() -> None:
    closing = OK.replace(b"X-A: b", b"Connection: close")
    with server([closing], [OK], [OK]) as (url, _):
        endpoint = HttpEndpoint(url)
        answers = []
        for _ in range(3):
            answers.append(endpoint.post(b"a", content_type="image/png"))
            if endpoint.idle:
                select.select(endpoint.idle, [], [], 10)  # until the server has closed what it left open
        endpoint.close()
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert all(answer.connect_ms is not None for answer in answers)


def test_an_interim_answer_is_not_the_answer() -> None:
    with server([b"HTTP/1.1 100 Continue\r\n\r\n" + OK]) as (url, _):
        assert post(url).status == 200


def test_a_chunked_answer_is_put_together() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n4\r\n": 1\r\n1\r\n}\r\n0\r\n\r\n'
    with server([chunked]) as (url, _):
        assert post(url).body == b'{"a": 1}'


def test_an_answer_without_a_length_ends_with_the_connection() -> None:
    with server([b"HTTP/1.0 200 OK\r\n\r\n{}"]) as (url, _):
        assert post(url).body == b"{}"


@pytest.mark.parametrize("broken", [b"", OK[:20], OK[:-1]])
def test_an_answer_that_breaks_off_is_a_failure_not_an_answer(broken: bytes) -> None:
    with server([broken]) as (url, _), pytest.raises(ConnectionResetError, match="closed after"):
        post(url)


def test_nobody_listening_is_refused_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        post(f"http://127.0.0.1:{port}/")


def test_a_url_without_a_path_asks_for_the_root_and_keeps_its_host() -> None:
    with server([OK]) as (url, seen):
        post(url.partition("/classify")[0])
    assert seen[0].startswith(b"POST / HTTP/1.1\r\n")
