"""Who holds the keys to closed targets while a load test runs: passes go out, wishes for cold starts come in.

The load test and the process that started it share a pair of sockets, one JSON document a line. Secrets cross it and
stay in memory: no file, no environment, no command line holds them.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

RENEW_EVERY_S = 300.0  # tokens live for ten minutes at least: vendors' SDKs renew what has less left


class CredentialProvider(Protocol):
    """Opens targets, and makes their next request start a new instance. What fails raises RuntimeError."""

    @property
    def cold_start_targets(self) -> Collection[str]:
        """Names of the targets that `retire` takes."""

    def auth_headers(self) -> Mapping[str, str]:
        """By target name what opens it, as `adapters.deployment.request_auth.RequestAuth.text` writes it."""

    def force_cold_start(self, target: str) -> None:
        """Return when it is done."""


@contextmanager
def serve_credentials(porter: CredentialProvider | None) -> Iterator[int | None]:
    """Serve one load test; yields the number of the socket that it is to inherit, None without a porter."""
    if porter is None:
        yield None
        return
    first = {"passes": dict(porter.auth_headers()), "cold_start_targets": sorted(porter.cold_start_targets)}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        attendant = threading.Thread(target=_serve, args=(porter, ours, first), daemon=True)
        attendant.start()
        try:
            yield theirs.fileno()
        finally:
            theirs.close()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)
            attendant.join()


def _serve(porter: CredentialProvider, ours: socket.socket, first: dict[str, Any]) -> None:
    """Answer until the other side is gone; renew the passes in between."""
    with suppress(OSError):
        _say(ours, first)
        renew_at_s, pending = time.monotonic() + RENEW_EVERY_S, b""
        while True:
            readable, _, _ = select.select([ours], [], [], max(renew_at_s - time.monotonic(), 0.0))
            if not readable:
                _renew(porter, ours)
                renew_at_s = time.monotonic() + RENEW_EVERY_S
                continue
            data = ours.recv(65536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _retire(porter, ours, json.loads(line))


def _renew(porter: CredentialProvider, ours: socket.socket) -> None:
    """Those that are held go on being used when there are no new ones: their targets say when they have ended."""
    with suppress(RuntimeError):
        _say(ours, {"passes": dict(porter.auth_headers())})


def _retire(porter: CredentialProvider, ours: socket.socket, wish: Mapping[str, Any]) -> None:
    error = ""
    try:
        porter.force_cold_start(wish["retire"])
    except RuntimeError as found:
        error = str(found)
    _say(ours, {"retired": wish["retire"], "error": error})


def _say(ours: socket.socket, document: Mapping[str, Any]) -> None:
    ours.sendall(json.dumps(document).encode() + b"\n")
