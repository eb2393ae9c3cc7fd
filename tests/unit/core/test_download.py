"""Fetching from a server that does its worst, on loopback."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from core import addresses, download
from core.errors import FetchFailed, UrlRefused
from core.settings import FetchRules

if TYPE_CHECKING:
    import ipaddress

    Talk = Callable[[socket.socket, str], None]

RULES = FetchRules(private=True, timeout_s=20, limit_bytes=1000)
HURRIED = FetchRules(private=True, timeout_s=0.3, limit_bytes=1000)
OK = b"HTTP/1.1 200 OK\r\n"
PNG = b"\x89PNG\r\n\x1a\n and so on"


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """Runs `talk(connection, request head)` for every connection; gives the server's address as host:port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closing = threading.Event()

        def serve(connection: socket.socket) -> None:
            with connection:
                try:
                    head = b""
                    while b"\r\n\r\n" not in head and (part := connection.recv(4096)):
                        head += part
                    talk(connection, head.decode("latin-1"))
                except OSError:
                    return  # the client has gone, which is what it should do

        def accept() -> None:
            while not closing.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        closing.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def says(answer: bytes) -> Talk:
    return lambda connection, head: connection.sendall(answer)


def fetch_from(talk: Talk, rules: FetchRules = RULES) -> bytes:
    with server(talk) as place:
        return download.fetch(f"http://{place}/photo.png", rules)


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"Content-Type: image/png\r\nContent-Length: %d\r\n\r\n" % len(PNG) + PNG,
        OK + b"Content-Type: IMAGE/JPEG; x=y\r\n\r\n" + PNG,
        OK + b"Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        + b"%x\r\n" % len(PNG) + PNG + b"\r\n0\r\n\r\n",
        OK + b"\r\n" + PNG,
        b"HTTP/1.0 200 OK\r\nContent-Encoding: identity\r\n\r\n" + PNG,
    ],
)  # fmt: skip
def test_an_image_is_fetched_however_it_is_framed(answer: bytes) -> None:
    assert fetch_from(says(answer)) == PNG


def test_the_request_carries_the_host_and_nothing_of_ours() -> None:
    heads = []

    def talk(connection: socket.socket, head: str) -> None:
        heads.append(head)
        connection.sendall(OK + b"\r\n" + PNG)

    with server(talk) as place:
        port = place.split(":")[1]
        url = f"http://photos.example:{port}/a%20b.png?size=1#top"
        download.fetch(url, RULES, resolve=lambda host, port: ["127.0.0.1"])
    lines = heads[0].split("\r\n")
    assert lines[0] == "GET /a%20b.png?size=1 HTTP/1.1"
    assert f"Host: photos.example:{port}" in lines
    assert "Accept-Encoding: identity" in lines
    assert not any(line.lower().startswith(("cookie", "authorization", "user-agent")) for line in lines)


def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    """A name that answers differently the second time is never asked a second time."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with server(says(OK + b"\r\n" + PNG)) as place:
        url = f"http://rebinding.example:{place.split(':')[1]}/"
        assert download.fetch(url, RULES, resolve=lambda host, port: next(answers)) == PNG
    assert next(answers) == ["169.254.169.254"], "asked once only"


def test_redirects_are_followed_and_relative_ones_too() -> None:
    def talk(connection: socket.socket, head: str) -> None:
        path = head.split(" ")[1]
        onward = {"/photo.png": b"/second", "/second": b"third?x=1"}.get(path)
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: " + onward + b"\r\n\r\n" if onward else OK + b"\r\n" + path.encode()
        )

    assert fetch_from(talk) == b"/third?x=1"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/iam",
        "http://[::1]/",
        "http://127.0.0.2/",
        "//10.0.0.1/",
        "http://2130706433/",
        "file:///etc/passwd",
        "http://user@127.0.0.1/",
    ],
)
def test_a_redirect_is_checked_like_the_first_address(
    status: int, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here 127.0.0.1 counts as public, so that the server can play an outside host."""
    is_public = addresses.is_public
    monkeypatch.setattr(addresses, "is_public", lambda ip: str(ip) == "127.0.0.1" or is_public(ip))
    answer = f"HTTP/1.1 {status} Moved\r\nLocation: {target}\r\n\r\n".encode()
    with pytest.raises(UrlRefused):
        fetch_from(says(answer), FetchRules(timeout_s=20))


def test_a_redirect_may_not_leave_the_list_of_hosts() -> None:
    rules = FetchRules(private=True, timeout_s=20, hosts=("127.0.0.1",))
    with pytest.raises(UrlRefused, match="TRIPOINT_FETCH_HOSTS"):
        fetch_from(says(b"HTTP/1.1 302 Found\r\nLocation: http://example.com/\r\n\r\n"), rules)


def test_a_redirect_loop_ends() -> None:
    requests = []

    def talk(connection: socket.socket, head: str) -> None:
        requests.append(head)
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /photo.png\r\n\r\n")

    with pytest.raises(FetchFailed, match="redirects more than 5 times"):
        fetch_from(talk)
    assert len(requests) == 6


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (OK + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001, "1001 bytes, the limit is 1000"),
        (OK + b"Content-Length: 99999999999999999999\r\n\r\n", "the limit is 1000"),
        (OK + b"\r\n" + b"x" * 1001, "more than 1000 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001 + b"\r\n0\r\n\r\n", "more than 1000 bytes"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "could not be fetched"),
        (OK + b"Content-Length: 500\r\n\r\nshort", "ended 495 bytes early"),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 10**6), "answered compressed"),
        (OK + b"Content-Encoding: br\r\n\r\n" + PNG, "answered compressed"),
        (OK + b"Content-Type: text/html\r\n\r\n<html>", "answered with 'text/html'"),
        (OK + b"Content-Type: application/json\r\n\r\n{}", "answered with 'application/json'"),
        (OK + b"Content-Length: 0\r\n\r\n", "an empty body"),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", "status 404"),
        (b"HTTP/1.1 302 Found\r\n\r\n", "status 302"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "status 204"),
        (b"HTTP/1.1 206 Partial\r\n\r\n" + PNG, "status 206"),
        (b"garbage\r\n\r\n", "could not be fetched"),
        (b"", "could not be fetched"),
        (OK + b"X: " + b"y" * 70_000 + b"\r\n\r\n", "could not be fetched"),
        (OK + b"X: y\r\n" * 200 + b"\r\n", "could not be fetched"),
    ],
)
def test_a_bad_answer_is_told_and_never_read_without_bound(answer: bytes, complaint: str) -> None:
    with pytest.raises(FetchFailed, match=complaint):
        fetch_from(says(answer))


def endless(first: bytes, again: bytes, pause_s: float) -> Talk:
    """Sends `first`, then `again` for ever."""

    def talk(connection: socket.socket, head: str) -> None:
        connection.sendall(first)
        while True:
            connection.sendall(again)
            threading.Event().wait(pause_s)

    return talk


@pytest.mark.parametrize(
    "talk",
    [
        endless(OK + b"Content-Length: 900\r\n\r\n", b"x", 0.01),
        endless(OK, b"X", 0.01),
        endless(b"H", b"", 0.01),
        endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.01),
    ],
    ids=["body by drops", "head by drops", "silence", "endless 100 Continue", "chunks by drops"],
)
def test_one_deadline_holds_for_all_of_an_answer(talk: Talk) -> None:
    """Each of these servers would keep a client that only bounds single reads for ever."""
    with pytest.raises(FetchFailed, match=r"did not answer whole within 0\.3 s|has no address"):
        fetch_from(talk, HURRIED)


def test_an_endless_body_is_cut_at_the_limit() -> None:
    with pytest.raises(FetchFailed, match="more than 1000 bytes"):
        fetch_from(endless(OK + b"\r\n", b"x" * 10_000, 0))


def test_a_resolver_that_hangs_is_given_up() -> None:
    release = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        release.wait(60)
        return ["127.0.0.1"]

    with pytest.raises(FetchFailed, match="has no address"):
        download.fetch("http://slow.example/", HURRIED, resolve=hang)
    release.set()


def test_a_closed_port_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchFailed, match="ConnectionRefusedError"):
        download.fetch(f"http://127.0.0.1:{port}/", RULES)


def test_the_second_address_is_tried_when_the_first_refuses() -> None:
    with server(says(OK + b"\r\n" + PNG)) as place:
        url = f"http://two.example:{place.split(':')[1]}/"
        assert download.fetch(url, RULES, resolve=lambda host, port: ["127.0.0.9", "127.0.0.1"]) == PNG


def test_https_insists_on_a_certificate_for_the_name() -> None:
    """The server speaks no TLS: the handshake fails, and nothing is sent in the clear."""
    seen = []
    with (
        server(lambda connection, head: seen.append(head)) as place,
        pytest.raises(FetchFailed, match=r"could not be fetched|did not answer"),
    ):
        download.fetch(f"https://{place}/", HURRIED)
    assert not any("GET" in head for head in seen)
    context = download.tls_context()
    assert context.check_hostname
    assert context.verify_mode.name == "CERT_REQUIRED"


def test_every_resolved_address_is_checked_before_the_first_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[ipaddress.IPv4Address | ipaddress.IPv6Address] = []
    is_public = addresses.is_public

    def watch(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        checked.append(ip)
        return is_public(ip)

    monkeypatch.setattr(addresses, "is_public", watch)
    with pytest.raises(UrlRefused):
        download.fetch("http://x.example/", FetchRules(), resolve=lambda host, port: ["8.8.8.8", "::1"])
    assert [str(ip) for ip in checked] == ["8.8.8.8", "::1"]
