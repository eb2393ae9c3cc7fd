"""Provide a running load test with the credentials of closed targets, and force cold starts for it.

The load test and the process that started it share a pair of sockets, one JSON document a line. Secrets cross it and
stay in memory: no file, no environment, no command line holds them.
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Protocol

RENEW_EVERY_S = 300.0  # tokens live for ten minutes at least: vendors' SDKs renew what has less left


class CredentialProvider(Protocol):
    """Gives the credentials of targets and forces cold starts. What fails raises RuntimeError."""

    @property
    def cold_start_targets(self) -> Collection[str]:
        """Names of the targets that `force_cold_start` takes."""

    def auth_headers(self) -> Mapping[str, str]:
        """Credentials by target name, as `adapters.deployment.request_auth.RequestAuth.text` writes it."""

    def force_cold_start(self, target: str) -> None:
        """Return when it is done."""


@contextmanager
def serve_credentials(provider: CredentialProvider | None) -> Iterator[int | None]:
    """Serve one load test; yields the number of the socket that it is to inherit, None without a provider."""
    if provider is None:
        yield None
        return
    first = {"passes": dict(provider.auth_headers()), "cold_start_targets": sorted(provider.cold_start_targets)}
    ours, theirs = socket.socketpair()
    with ours, theirs:
        server = threading.Thread(target=_serve, args=(provider, ours, first), daemon=True)
        server.start()
        try:
            yield theirs.fileno()
        finally:
            theirs.close()
            with suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)
            server.join()


def _serve(provider: CredentialProvider, ours: socket.socket, first: dict[str, Any]) -> None:
    """Answer until the other side is gone; send fresh credentials in between."""
    with suppress(OSError):
        _send(ours, first)
        renew_at_s, pending = time.monotonic() + RENEW_EVERY_S, b""
        while True:
            readable, _, _ = select.select([ours], [], [], max(renew_at_s - time.monotonic(), 0.0))
            if not readable:
                _renew(provider, ours)
                renew_at_s = time.monotonic() + RENEW_EVERY_S
                continue
            data = ours.recv(65536)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                _retire(provider, ours, json.loads(line))


def _renew(provider: CredentialProvider, ours: socket.socket) -> None:
    """Send fresh credentials; without any the load test goes on with those that it has."""
    with suppress(RuntimeError):
        _send(ours, {"passes": dict(provider.auth_headers())})


def _retire(provider: CredentialProvider, ours: socket.socket, wish: Mapping[str, Any]) -> None:
    error = ""
    try:
        provider.force_cold_start(wish["retire"])
    except RuntimeError as found:
        error = str(found)
    _send(ours, {"retired": wish["retire"], "error": error})


def _send(ours: socket.socket, document: Mapping[str, Any]) -> None:
    ours.sendall(json.dumps(document).encode() + b"\n")
