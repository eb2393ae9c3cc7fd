"""Classify samples as cold or warm, from when each instance became ready on the client's clock. Pure.

One answer leaves a doubt: the client cannot tell how long it travelled. All answers of an instance together
leave less. The instance said of each request how long it had been ready, so each brackets the same moment:
not before (request sent) - (ready since), not after (answer there) - (handling time) - (ready since). The
narrowest bracket counts, as NTP takes the quickest of many exchanges (RFC 5905, 10: clock filter). Every term is
a duration on one machine's clock; clocks of two machines are never subtracted.

An instance opens a little after it is ready: its platform has to notice. That gap is what its first request
spent between "ready" and its start, where that request was waiting already.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.record.sample import Sample, State

InstanceKey = tuple[str, str, str]  # worker (whose clock it is), target, instance


@dataclass(frozen=True, slots=True)
class Exchange:
    """One answered request: when its connection was there, when its answer was, and how long the handler took.

    `open_s` and `done_s` are seconds of the worker's clock, `ready_s` how long the instance had been ready when
    its handler started.
    """

    sample: Sample
    open_s: float
    done_s: float
    handled_s: float
    ready_s: float

    @property
    def earliest_s(self) -> float:
        """The instance was not ready before."""
        return self.open_s - self.ready_s

    @property
    def latest_s(self) -> float:
        """The instance was ready by then."""
        return self.done_s - self.handled_s - self.ready_s


def classify_samples(samples: Sequence[Sample]) -> list[Sample]:
    """The samples, each state as all answers of its instance together show it; others stay as they were read."""
    exchanges = [found for sample in samples if (found := exchange_of(sample)) is not None]
    opened = open_times(exchanges)
    states = {id(each.sample): state_of(each, opened[instance_key(each)]) for each in exchanges}
    return [
        sample if (state := states.get(id(sample), sample.state)) == sample.state else replace(sample, state=state)
        for sample in samples
    ]


def exchange_of(sample: Sample) -> Exchange | None:
    """None without an answer or without what the instance says of itself."""
    if sample.sent_s is None or sample.done_s is None or sample.instance is None:
        return None
    if sample.since_ready_ms is None or sample.request_number is None:
        return None
    return Exchange(
        sample,
        open_s=sample.sent_s + ((sample.connect_ms or 0.0) + (sample.tls_ms or 0.0)) / 1000,
        done_s=sample.done_s,
        handled_s=(sample.total_ms or 0.0) / 1000,
        ready_s=sample.since_ready_ms / 1000,
    )


def instance_key(exchange: Exchange) -> InstanceKey:
    return exchange.sample.worker, exchange.sample.target, str(exchange.sample.instance)


def state_of(exchange: Exchange, opened_s: float) -> State:
    """Cold when it was sent before its instance opened; else warm, or pre-initialised as the first request of it.

    Lambda's REPORT line, where there is one, has an Init Duration for the first request of an instance alone.
    """
    report = exchange.sample.platform or ""
    served_before = report.startswith("REPORT ") and "Init Duration:" not in report
    if exchange.open_s < opened_s and not served_before:
        return "cold"
    return "pre-initialised" if exchange.sample.request_number == 1 else "warm"


def open_times(exchanges: Iterable[Exchange]) -> dict[InstanceKey, float]:
    """When each instance opened, in seconds of each worker's clock."""
    of_place: dict[InstanceKey, list[Exchange]] = defaultdict(list)
    for each in exchanges:
        of_place[instance_key(each)].append(each)
    ways = round_trips(of_place)
    ready = {place: ready_at(group, ways[place[:2]]) for place, group in of_place.items()}
    gaps = open_delays(of_place, ready)
    return {place: ready_s + gaps.get(place[1], 0.0) for place, ready_s in ready.items()}


def round_trips(of_place: Mapping[InstanceKey, Sequence[Exchange]]) -> dict[tuple[str, str], float]:
    """For each worker and target the quickest opening of a connection, in seconds: the way there and back alone."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for place, group in of_place.items():
        found[place[:2]] += [(each.sample.connect_ms or 0.0) / 1000 for each in group]
    return {pair: min((way for way in ways if way > 0), default=0.0) for pair, ways in found.items()}


def ready_at(group: Sequence[Exchange], round_trip_s: float) -> float:
    """The moment before which a request to this instance had to be sent in order to wait for it."""
    return max(max(each.earliest_s for each in group), min(each.latest_s for each in group) - round_trip_s)


def open_delays(
    of_place: Mapping[InstanceKey, Sequence[Exchange]], ready: Mapping[InstanceKey, float]
) -> dict[str, float]:
    """Return, per target, the shortest delay from an instance becoming ready to the start of a request in its queue.

    Only first requests count. The shortest is taken, as a busy machine adds to all delays.
    """
    gaps: dict[str, list[float]] = defaultdict(list)
    for place, group in of_place.items():
        gaps[place[1]] += [
            each.ready_s for each in group if each.sample.request_number == 1 and each.open_s < ready[place]
        ]
    return {target: min(found) for target, found in gaps.items() if found}
