"""Which requests waited for a new instance, while the run goes on, in memory that grows with instances alone. Pure.

`cold_state` tells it from all answers of an instance. Of those, only a few matter: the requests that may
have waited, and for each instance the two answers that say most narrowly when it became ready.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.record.cold_state import classify_samples, exchange_of, instance_key

if TYPE_CHECKING:
    from loadtests.record.cold_state import Exchange, InstanceKey
    from loadtests.record.sample import Sample

YOUNG_MS = 2000.0  # an instance opens sooner after it is ready: a later request did not wait for it


class ColdStateStream:
    """The requests of one target that an instance answered in its first moments; nothing is known of others."""

    def __init__(self) -> None:
        self._kept: list[Sample] = []
        self._earliest: dict[InstanceKey, Exchange] = {}
        self._latest: dict[InstanceKey, Exchange] = {}
        self._nearest: dict[str, Exchange] = {}
        self._settled: list[Sample] | None = None

    def add(self, sample: Sample) -> bool:
        """Note a request; True when its state is still open, so that it will be among `settled`."""
        exchange = exchange_of(sample)
        if exchange is None:
            return False
        self._bracket(exchange)
        new = sample.request_number == 1 or sample.state != "warm" or exchange.ready_s * 1000 < YOUNG_MS
        if new:
            self._kept.append(sample)
            self._settled = None
        return new

    def classified(self) -> list[Sample]:
        """The requests whose state is open, each with the state that all answers so far show."""
        if self._settled is None:
            brackets = (*self._earliest.values(), *self._latest.values(), *self._nearest.values())
            self._settled = classify_samples([*self._kept, *(each.sample for each in brackets)])[: len(self._kept)]
        return self._settled

    def _bracket(self, exchange: Exchange) -> None:
        place = instance_key(exchange)
        if place not in self._earliest or exchange.earliest_s > self._earliest[place].earliest_s:
            self._earliest[place], self._settled = exchange, None
        if place not in self._latest or exchange.latest_s < self._latest[place].latest_s:
            self._latest[place], self._settled = exchange, None
        connect_ms, nearest = exchange.sample.connect_ms, self._nearest.get(place[0])
        if connect_ms and (nearest is None or connect_ms < (nearest.sample.connect_ms or 0.0)):
            self._nearest[place[0]], self._settled = exchange, None
