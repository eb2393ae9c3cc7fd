"""Download an image safely. The first `url` imports this module, as `http.client` takes long to import.

The address that was checked is the one connected to, so that a name cannot answer differently the second
time; redirects are checked like the first address; nothing is decompressed; one deadline holds for all of it.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from core import addresses
from core.errors import FetchFailed, FetchOff

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer, WriteableBuffer

    from core.addresses import Address
    from core.settings import FetchRules

    Resolve = Callable[[str, int], list[str]]

_KINDS = ("application/octet-stream", "binary/octet-stream")
_REDIRECTS = (301, 302, 303, 307, 308)


def fetch(url: str, rules: FetchRules, *, resolve: Resolve | None = None) -> bytes:
    """Return the bytes at `url`. Raises FetchOff, UrlRefused, FetchFailed.

    `resolve` gives the IP addresses of a host and port, by default the system's.
    """
    if not rules.on:
        raise FetchOff
    deadline_s = time.perf_counter() + rules.timeout_s
    for _ in range(rules.redirects + 1):
        address = addresses.parse(url, hosts=rules.hosts, private=rules.private)
        ips = _checked(address, rules, deadline_s, resolve or system_resolve)
        answer = _get(address, ips, rules, deadline_s)
        if isinstance(answer, bytes):
            return answer
        url = urljoin(url, answer)
    raise FetchFailed(f"`url` redirects more than {rules.redirects} times: send the final address")


def system_resolve(host: str, port: int) -> list[str]:
    """All addresses of `host`, as the system's resolver gives them."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def _checked(address: Address, rules: FetchRules, deadline_s: float, resolve: Resolve) -> list[str]:
    """The host's addresses, every one of them public; a resolver that hangs is given up at the deadline."""
    found: list[str] = []

    def work() -> None:
        try:
            found.extend(resolve(address.host, address.port))
        except (OSError, UnicodeError):
            found.clear()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(max(0.0, deadline_s - time.perf_counter()))
    ips = list(dict.fromkeys(found))
    if thread.is_alive() or not ips:
        raise FetchFailed(f"the host {address.host!r} of `url` has no address: check its spelling")
    for ip in ips:
        addresses.check_public(ip, private=rules.private)
    return ips


class _DeadlineReader(io.RawIOBase):
    """Reads a socket; every read has only what is left of the whole time."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._socket = sock
        self._deadline_s = deadline_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._socket.settimeout(_left_s(self._deadline_s))
        return self._socket.recv_into(buffer)


class _DeadlineSocket:
    """The part of a socket that `http.client` uses."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._socket = sock
        self._deadline_s = deadline_s

    def sendall(self, data: ReadableBuffer) -> None:
        self._socket.settimeout(_left_s(self._deadline_s))
        self._socket.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_DeadlineReader(self._socket, self._deadline_s))

    def close(self) -> None:
        """Do nothing: `http.client` closes its socket before the body is read; `_Connection.release` closes."""


def _left_s(deadline_s: float) -> float:
    left_s = deadline_s - time.perf_counter()
    if left_s <= 0:
        raise TimeoutError
    return left_s


class _Connection(http.client.HTTPConnection):
    """A connection to one of the checked addresses, whatever the host's name resolves to by now."""

    def __init__(self, address: Address, ips: list[str], deadline_s: float) -> None:
        super().__init__(address.host, address.port)
        self._address = address
        self._ips = ips
        self._deadline_s = deadline_s
        self._open: socket.socket | None = None

    def connect(self) -> None:
        self._open = self._plain_socket()
        if self._address.scheme == "https":
            self._open.settimeout(_left_s(self._deadline_s))
            self._open = tls_context().wrap_socket(self._open, server_hostname=self._address.host)
        self.sock = _DeadlineSocket(self._open, self._deadline_s)

    def release(self) -> None:
        """Close the socket."""
        self.close()
        if self._open is not None:
            self._open.close()

    def _plain_socket(self) -> socket.socket:
        failed = OSError("no address")
        for ip in self._ips:
            try:
                return socket.create_connection((ip, self._address.port), timeout=_left_s(self._deadline_s))
            except TimeoutError:
                raise
            except OSError as error:
                failed = error
        raise failed


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The system's certificate authorities, read once."""
    return ssl.create_default_context()


def _get(address: Address, ips: list[str], rules: FetchRules, deadline_s: float) -> bytes | str:
    """The body at `address`, or where it redirects to."""
    connection = _Connection(address, ips, deadline_s)
    headers = {"Host": address.authority, "Accept": "image/*", "Accept-Encoding": "identity", "Connection": "close"}
    try:
        connection.request("GET", address.target, headers=headers)
        answer = connection.getresponse()
        location = answer.getheader("location")
        if answer.status in _REDIRECTS and location:
            return location
        _check_head(answer, rules)
        body = answer.read(rules.limit_bytes + 1)
    except TimeoutError as error:
        raise FetchFailed(
            f"`url` did not answer whole within {rules.timeout_s:g} s: send the image itself"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise FetchFailed(f"`url` could not be fetched ({type(error).__name__}): check the address") from error
    finally:
        connection.release()
    if len(body) > rules.limit_bytes:
        raise FetchFailed(f"`url` has more than {rules.limit_bytes} bytes: send a smaller image")
    if answer.length:
        raise FetchFailed(f"`url` ended {answer.length} bytes early: try again, or send the image itself")
    if not body:
        raise FetchFailed("`url` answered with an empty body: check the address")
    return body


def _check_head(answer: http.client.HTTPResponse, rules: FetchRules) -> None:
    if answer.status != 200:
        raise FetchFailed(f"`url` answered with status {answer.status}: expected 200 and an image")
    encoding = (answer.getheader("content-encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise FetchFailed(f"`url` answered compressed ({encoding[:20]!r}) though identity was asked for")
    kind = (answer.getheader("content-type") or _KINDS[0]).partition(";")[0].strip().lower()
    if not kind.startswith("image/") and kind not in _KINDS:
        raise FetchFailed(f"`url` answered with {kind[:40]!r}: expected an image")
    if answer.length is not None and answer.length > rules.limit_bytes:
        raise FetchFailed(f"`url` has {answer.length} bytes, the limit is {rules.limit_bytes}: send a smaller image")
