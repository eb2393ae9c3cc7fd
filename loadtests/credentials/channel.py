"""The master's side of the socket to the credential provider (`loadtests.credentials.provider`)."""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore

from loadtests.credentials.credentials import Credentials

LOG = logging.getLogger(__name__)
ANSWER_WITHIN_S = 30.0
RETIRE_WITHIN_S = 600.0  # a new revision of a service takes its time


class CredentialError(Exception):
    """The credential provider does not answer; the message says what was expected."""


class CredentialChannel:
    """The connection to the provider: `keys` are its latest credentials, and `renewed` is called with new ones."""

    def __init__(self, number: int) -> None:
        """`number` is that of the inherited socket. Raises CredentialError when no credentials come."""
        self._socket = socket.socket(fileno=number)
        self._file = self._socket.makefile("rb")
        self._turn = BoundedSemaphore(1)
        self._retired: AsyncResult[str] = AsyncResult()
        self.renewed: Callable[[Mapping[str, str]], None] = lambda texts: None
        with gevent.Timeout(ANSWER_WITHIN_S, CredentialError(f"no keys within {ANSWER_WITHIN_S:.0f} s")):
            first = self._read()
        if first is None:
            raise CredentialError("the process that holds the keys is gone")
        self.keys = Credentials(first["passes"], cold_start_targets=first["cold_start_targets"])
        gevent.spawn(self._listen)

    def force_cold_start(self, target: str) -> bool:
        """Make the target's next request start a new instance, for one target at a time; return whether it worked."""
        with self._turn:
            self._retired = AsyncResult()
            self._socket.sendall(json.dumps({"retire": target}).encode() + b"\n")
            try:
                error = self._retired.get(timeout=RETIRE_WITHIN_S)
            except gevent.Timeout:
                error = f"no answer within {RETIRE_WITHIN_S:.0f} s"
        if error:
            LOG.warning("tripoint: no cold start of %s could be forced: %s", target, error)
        return not error

    def _listen(self) -> None:
        while (document := self._read()) is not None:
            if "passes" in document:
                self.keys.refresh(document["passes"])
                self.renewed(document["passes"])
            else:
                self._retired.set(document["error"])
        self._retired.set("the process that holds the keys is gone")

    def _read(self) -> dict[str, Any] | None:
        line = self._file.readline()
        document: dict[str, Any] | None = json.loads(line) if line else None
        return document
