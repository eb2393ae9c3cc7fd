"""Keep a run below a cap on its cost: the budget is asked before each request. Pure.

Each request reserves the most that it could cost before it is sent, and gives the rest back when its answer is in.
What it really cost is counted at the list price, without any free grant, for as long as the client waited: never
less than the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

_ZERO = Decimal(0)
_WAIT_NOISE_MS = 2.0  # above the shortest way there and back, a warm answer that took longer may have queued
_WAIT_NOISE_SHARE = 1.1


class BudgetError(ValueError):
    """There can be no such budget; the message says why, and what to give."""


@dataclass(frozen=True, slots=True)
class RequestPrice:
    """The price of one request to a target in USD: a fixed part, its start, its response, and each ms.

    `timeout_ms` and `init_timeout_ms` are the longest that the cloud lets a request run and an instance start.
    `waits_for_own_instance`: the request that triggers a start waits for that instance (AWS), so its latency already
    includes the start. Where another instance may answer instead, the start is billed on top. An instance serves
    `places` requests before the platform starts one more, and lives for `idle_s` at least after its last answer.
    """

    request_usd: Decimal
    ms_usd: Decimal
    start_usd: Decimal
    byte_usd: Decimal
    step_ms: Decimal
    minimum_ms: Decimal
    timeout_ms: Decimal
    init_timeout_ms: Decimal
    answer_bytes: Decimal
    waits_for_own_instance: bool
    places: Decimal = Decimal(1)
    idle_s: Decimal = _ZERO

    def usd(self, duration_ms: Decimal, *, starts: int = 0, answer_bytes: Decimal = _ZERO) -> Decimal:
        """Return the price of a request that is billed for `duration_ms`, the time of its `starts` included."""
        steps_ms = (duration_ms / self.step_ms).to_integral_value(ROUND_CEILING) * self.step_ms
        time_usd = max(steps_ms, self.minimum_ms) * self.ms_usd
        return self.request_usd + time_usd + starts * self.start_usd + answer_bytes * self.byte_usd

    @property
    def highest_usd(self) -> Decimal:
        """Price of a request that starts an instance as slowly as allowed, and runs into its time limit."""
        return self.usd(self.timeout_ms + self.init_timeout_ms, starts=1, answer_bytes=self.answer_bytes)

    def document(self) -> dict[str, Any]:
        """As a message to a worker holds it."""
        return {name: value if isinstance(value, bool) else str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> RequestPrice:
        """Read what `document` wrote."""
        exact: dict[str, Any] = {
            name: each if isinstance(each, bool) else Decimal(each) for name, each in document.items()
        }
        return cls(**exact)


@dataclass(slots=True)
class _TargetSpending:
    """What is known of one target: requests under way, instances that answered, starts that no answer showed.

    A platform starts an instance only where those that it has are too few for the requests under way. So there were
    no more starts than the most requests under way at once need instances, less those that are surely alive: they
    answered, or their start was counted, less than `idle_s` ago.
    """

    tariff: RequestPrice
    workers: int = 1
    in_flight: int = 0
    way_ms: float | None = None
    _order: int = 0
    _open: dict[int, int] = field(default_factory=dict)
    _needed: dict[int, int] = field(default_factory=dict)
    _answered: dict[str, float] = field(default_factory=dict)
    _unseen: list[float] = field(default_factory=list)

    def begin(self, index: int) -> None:
        """Note that request `index` is under way, and how many instances all that are need."""
        self.in_flight += 1
        self._order += 1
        self._open[index] = self._order
        # Each worker sees its own part; the largest part, times the workers, is as much as all of them.
        needed = Decimal(self.in_flight * self.workers) / self.tariff.places
        self._needed[self._order] = int(needed.to_integral_value(ROUND_CEILING))

    def usd_of(self, sample: Sample) -> Decimal:
        """What one request cost at most, by what is known of it; one that was never sent cost nothing."""
        tariff = self.tariff
        order = self._open.pop(sample.index, None)
        if order is not None:
            # What was given up may go on there.
            self.in_flight -= sample.done_s is not None or sample.sent_s is None
        if sample.sent_s is None:
            return _ZERO
        waited_ms = sample.service_ms
        if waited_ms is None:
            self._unseen.append(sample.sent_s)  # its price holds a start
            return tariff.highest_usd
        own_start = sample.state == "cold" or sample.instance is None
        another = self._began_another(sample, waited_ms, order)
        duration_ms = Decimal(repr(waited_ms)) + another * tariff.init_timeout_ms
        starts, answer_bytes = int(own_start) + int(another), Decimal(sample.response_bytes)
        found = tariff.usd(duration_ms, starts=starts, answer_bytes=answer_bytes)
        return min(found, tariff.highest_usd)

    def _began_another(self, sample: Sample, waited_ms: float, order: int | None) -> bool:
        """Whether an instance may have been started that no answer showed (never where it is `bound`).

        How long that start took, nobody tells. Of a request of an earlier run (`order` None) it is only known how
        long it waited.
        """
        if self.tariff.waits_for_own_instance or self.tariff.init_timeout_ms == 0:
            return False
        way_ms = _way_ms(sample, waited_ms)
        if sample.state == "warm":
            self.way_ms = way_ms if self.way_ms is None else min(self.way_ms, way_ms)
        hidden = self._count_hidden(sample, order)
        if sample.state == "cold":
            return hidden or sample.stratum == "forced"  # the new version may have been tried once before
        if sample.state != "warm":
            return True
        if order is not None:
            return hidden
        return self.way_ms is not None and way_ms > self.way_ms * _WAIT_NOISE_SHARE + _WAIT_NOISE_MS

    def _count_hidden(self, sample: Sample, order: int | None) -> bool:
        """Note the instance that answered; whether one more must have been started than are known."""
        now_s, idle_s = float(sample.done_s or 0.0), float(self.tariff.idle_s)
        if sample.stratum == "forced":  # a new version: the instances of the one before are gone
            self._answered, self._unseen = {}, []
        self._answered = {name: at_s for name, at_s in self._answered.items() if at_s > now_s - idle_s}
        self._unseen = [at_s for at_s in self._unseen if at_s > now_s - idle_s]
        new = sample.instance is not None and sample.instance not in self._answered
        if sample.instance is not None:
            self._answered[sample.instance] = now_s
        counted_before = bool(new and sample.state == "warm" and self._unseen)
        if counted_before:
            self._unseen.pop(0)  # this is it
        oldest = min((*self._open.values(), *(() if order is None else (order,))), default=self._order + 1)
        self._needed = {at: needed for at, needed in self._needed.items() if at >= oldest}
        known = len(self._answered) + len(self._unseen) + len(self._open)
        # One that was started ahead of need answers its first requests warm, and not always in their order.
        first = sample.request_number is not None and sample.request_number <= 1 + len(self._open)
        ahead = new and sample.state == "warm" and first and not counted_before
        hidden = max(self._needed.values(), default=0) > known
        if hidden:
            self._unseen.append(now_s)
        return hidden or ahead


def _way_ms(sample: Sample, waited_ms: float) -> float:
    """What the client waited outside the handler, but for opening the connection."""
    opening_ms = (sample.connect_ms or 0.0) + (sample.tls_ms or 0.0)
    return max(waited_ms - opening_ms - (sample.total_ms or 0.0), 0.0)


@dataclass(slots=True)
class Budget:
    """`cap_usd` for everything together. Split a cap over workers by giving each its share: see `shares`.

    `workers` send to the same targets, each with a share of its own; this is one of them.
    """

    cap_usd: Decimal
    prices: Mapping[str, RequestPrice]
    spent_usd: Decimal = _ZERO
    workers: int = 1
    exhausted: bool = field(default=False, init=False)
    _meters: dict[str, _TargetSpending] = field(init=False)
    _reserved: set[int] = field(default_factory=set, init=False)
    _reserved_usd: Decimal = field(default=_ZERO, init=False)

    def __post_init__(self) -> None:
        if not self.cap_usd.is_finite() or self.cap_usd <= 0:
            raise BudgetError(f"budget is {self.cap_usd} USD: expected an amount above 0")
        self._meters = {name: _TargetSpending(tariff, self.workers) for name, tariff in self.prices.items()}

    @property
    def reserved_usd(self) -> Decimal:
        """What the requests that are under way could cost at most."""
        return self._reserved_usd

    @property
    def left_usd(self) -> Decimal:
        return self.cap_usd - self.spent_usd - self._reserved_usd

    def reserve(self, index: int, target: str) -> bool:
        """Whether request `index` may be sent; False from the first time on that one may not."""
        highest = self.prices[target].highest_usd
        self.exhausted |= highest > self.left_usd
        if not self.exhausted:
            self._reserved.add(index)
            self._reserved_usd += highest
            self._meters[target].begin(index)
        return not self.exhausted

    def settle(self, sample: Sample) -> None:
        """Count a request, now that its sample is there; one that reserved nothing belongs to an earlier start."""
        meter = self._meters[sample.target]
        if sample.index in self._reserved:
            self._reserved.remove(sample.index)
            self._reserved_usd -= meter.tariff.highest_usd
        self.spent_usd += meter.usd_of(sample)

    def shares(self, count: int) -> list[dict[str, Any]]:
        """What is left, in as many equal parts, as messages that `share_of` reads."""
        tariffs = {name: tariff.document() for name, tariff in self.prices.items()}
        share = {"cap_usd": str(max(self.left_usd, _ZERO) / count), "tariffs": tariffs, "workers": count}
        return [share for _ in range(count)]


def share_of(document: Mapping[str, Any]) -> Budget:
    """Read one part; an empty one lets nothing be sent."""
    cap_usd = max(Decimal(document["cap_usd"]), Decimal("1e-30"))
    tariffs = {name: RequestPrice.from_document(each) for name, each in document["tariffs"].items()}
    return Budget(cap_usd, tariffs, workers=int(document["workers"]))
