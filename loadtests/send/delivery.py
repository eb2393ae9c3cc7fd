"""Deliver samples from a worker to the master's store, each exactly once.

A worker numbers its batches and keeps each until the master says that it is on disk; what is not confirmed in
time is sent again. The store takes a sample of the same worker and index once, so that twice does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from loadtests.record.sample import Sample, as_row

if TYPE_CHECKING:
    from loadtests.record.store import Store

BATCH_MAX = 1000
RESEND_AFTER_S = 3.0


class Outbox:
    """The worker's side: samples that the store has not confirmed.

    `post` sends one message to the master; it may fail to: what is not confirmed is posted again. Times are given
    by the caller, in seconds of one clock.
    """

    def __init__(self, post: Callable[[dict[str, Any]], None]) -> None:
        self._post = post
        self._waiting: list[Sample] = []
        self._unconfirmed: dict[int, tuple[float, list[Sample]]] = {}
        self._next = 0

    def add(self, sample: Sample) -> None:
        """Take a sample; `flush` sends it."""
        self._waiting.append(sample)

    def flush(self, now_s: float) -> None:
        """Send what is new, and again what was sent RESEND_AFTER_S ago and not confirmed."""
        for number, (sent_s, _) in list(self._unconfirmed.items()):
            if now_s - sent_s >= RESEND_AFTER_S:
                self._send(number, now_s)
        while self._waiting:
            batch, self._waiting = self._waiting[:BATCH_MAX], self._waiting[BATCH_MAX:]
            number, self._next = self._next, self._next + 1
            self._unconfirmed[number] = (now_s, batch)
            self._send(number, now_s)

    def confirm(self, number: int) -> None:
        """The store holds batch `number`."""
        self._unconfirmed.pop(number, None)

    @property
    def pending(self) -> int:
        """Samples that the store has not confirmed."""
        return len(self._waiting) + sum(len(batch) for _, batch in self._unconfirmed.values())

    def _send(self, number: int, now_s: float) -> None:
        batch = self._unconfirmed[number][1]
        self._unconfirmed[number] = (now_s, batch)
        self._post({"batch": number, "rows": [as_row(sample) for sample in batch]})


class Inbox:
    """The master's side: writes batches to the store and counts what came from whom."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.received: dict[str, int] = {}

    def take(self, worker: str, message: Mapping[str, Any]) -> tuple[int, list[Sample]]:
        """Write the batch of `message`; return its number, to be confirmed, and its samples unless it came before.

        Raises StoreError when it cannot be written.
        """
        samples = [Sample(*row) for row in message["rows"]]
        new = self._store.append(samples)
        self.received[worker] = self.received.get(worker, 0) + new
        return int(message["batch"]), samples if new else []
