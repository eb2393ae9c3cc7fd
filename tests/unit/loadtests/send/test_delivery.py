from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Store
from loadtests.send.delivery import BATCH_MAX, RESEND_AFTER_S, Inbox, Outbox


def sample(index: int) -> Sample:
    return Sample(index, "aws", "w1", "steady", float(index), None, None, "dropped")


class Wire:
    """Carries messages to the store, but loses those whose number is in `lost`."""

    def __init__(self, store: Store, *, lost: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.inbox = Inbox(store)
        self.lost = lost
        self.sent = 0
        self.outbox = Outbox(self.post)
        self.lose_confirmations = False

    def post(self, message: dict[str, Any]) -> None:
        self.sent += 1
        if self.sent not in self.lost:
            number, _ = self.inbox.take("w1", message)
            if not self.lose_confirmations:
                self.outbox.confirm(number)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / FILE_NAME, {}) as opened:
        yield opened


def test_samples_arrive_and_are_confirmed(store: Store) -> None:
    wire = Wire(store)
    for index in range(BATCH_MAX + 5):
        wire.outbox.add(sample(index))
    assert wire.outbox.pending == BATCH_MAX + 5
    wire.outbox.flush(0.0)
    assert (wire.outbox.pending, wire.sent, wire.inbox.received) == (0, 2, {"w1": BATCH_MAX + 5})
    assert [each.index for each in store.samples()] == list(range(BATCH_MAX + 5))


def test_a_lost_batch_is_sent_again_after_a_while(store: Store) -> None:
    wire = Wire(store, lost={1})
    wire.outbox.add(sample(0))
    wire.outbox.flush(0.0)
    wire.outbox.flush(RESEND_AFTER_S / 2)
    assert (wire.sent, wire.outbox.pending) == (1, 1)
    wire.outbox.flush(RESEND_AFTER_S)
    assert (wire.sent, wire.outbox.pending) == (2, 0)
    assert [each.index for each in store.samples()] == [0]


def test_a_lost_confirmation_stores_nothing_twice(store: Store) -> None:
    wire = Wire(store)
    wire.lose_confirmations = True
    wire.outbox.add(sample(0))
    wire.outbox.flush(0.0)
    wire.lose_confirmations = False
    wire.outbox.flush(RESEND_AFTER_S)
    assert (wire.sent, wire.outbox.pending, wire.inbox.received) == (2, 0, {"w1": 1})
    assert len(store.samples()) == 1


def test_nothing_is_sent_when_there_is_nothing_new(store: Store) -> None:
    wire = Wire(store)
    wire.outbox.flush(0.0)
    assert wire.sent == 0
