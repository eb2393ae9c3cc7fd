"""Cost a measured target: billed time of its samples, through its plan, at a book's prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from loadtests.cost.bill import Bill, BillLine, BillTerms, bill_plan
from loadtests.cost.billed_time import BilledTime, exact, observe
from loadtests.cost.gateway import gateway_before, gateway_note
from loadtests.cost.plans import load_plan
from loadtests.cost.usage import MONTH_HOURS, Calls, Snapshots, Usage, UsageError
from loadtests.stats.clusters import FEW, ratio_interval
from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.plan.targets import Target
    from loadtests.prices.book import CloudPrices, PriceBook
    from loadtests.record.sample import Sample

DEFAULT_VOLUME = Decimal(10_000_000)
LOCAL_REGION = "local"
_GIB = Decimal(1024**3)
_KIB_PER_GIB = Decimal(1024**2)

Interval = tuple[Decimal, Decimal]

NO_INTERVAL = "no interval: it takes {few} instances to tell how much they differ, {count} were seen"


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What the samples cannot tell: requests a month, another gateway than the target's, logs and image kept."""

    volume: Decimal = DEFAULT_VOLUME
    gateway: str | None = None
    log_kb: Decimal = Decimal(0)
    image_gb: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Reading:
    """Another reading of a plan's rules: the `plan` that it is, and USD per million requests under it."""

    plan: str
    usd_per_million: Estimate


@dataclass(frozen=True, slots=True)
class TargetCost:
    """Cost of a million requests of one target, without and with the free grant, and the month's bill behind it.

    `reading`, where the rules of the plan can be read in another way: what a million requests cost then.
    """

    target: str
    usd_per_million: Estimate
    usd_per_million_free: Estimate
    billed_ms: Estimate
    bill: Bill | None = None
    assumptions: tuple[str, ...] = ()
    reading: Reading | None = None

    @property
    def lines(self) -> tuple[BillLine, ...]:
        """The month's lines without the free grant."""
        return self.bill.lines if self.bill else ()


def cost_of(
    target: Target,
    samples: Sequence[Sample],
    book: PriceBook,
    *,
    volume: Decimal | int | None = None,
    setting: CostSettings | None = None,
) -> TargetCost:
    """Cost per million requests of `target`, from its own samples among `samples`.

    `volume`: requests a month (tiers, grants and held instances depend on it); it overrides `setting`'s.
    The interval is over instances. What cannot be costed has estimates with a reason.
    """
    chosen = setting or CostSettings()
    chosen = chosen if volume is None else replace(chosen, volume=Decimal(volume))
    own = [sample for sample in samples if sample.target == target.name]
    try:
        plan = load_plan(target.cloud, target.plan)
        observed = observe(plan.duration, own, concurrency=target.concurrency)
        if not observed.requests:
            return _unknown(target, "no request of this target was sent after the warm-up")
        found = cost_of_observed(target, plan, observed, book, setting=chosen)
        if not plan.alternative:
            return found
        other = cost_of(replace(target, plan=plan.alternative), own, book, setting=chosen)
        return _with_reading(found, other, plan.alternative)
    except (LookupError, ValueError) as error:
        return _unknown(target, str(error))


def cost_of_observed(
    target: Target, plan: Plan, observed: BilledTime, book: PriceBook, *, setting: CostSettings | None = None
) -> TargetCost:
    """The cost that follows from billed time, of at least one request, under the target's `plan`.

    Raises LookupError or ValueError when its prices are not known, or the plan does not sell such a target.
    """
    prices = book.of(target.cloud)
    return TargetCosting(
        target, plan=plan, prices=prices, observed=observed, setting=setting or CostSettings()
    ).result()


def costing_of(target: Target, samples: Sequence[Sample], book: PriceBook) -> TargetCosting:
    """What `target`'s cost follows from, to be asked for any month.

    Raises LookupError or ValueError for a plan or price that is not known, and where there is no request to cost.
    """
    own = [sample for sample in samples if sample.target == target.name]
    plan, prices = load_plan(target.cloud, target.plan), book.of(target.cloud)
    observed = observe(plan.duration, own, concurrency=target.concurrency)
    if not observed.requests:
        raise UsageError("no request of this target was sent after the warm-up")
    return TargetCosting(target, plan=plan, prices=prices, observed=observed, setting=CostSettings())


@dataclass(frozen=True, slots=True)
class TargetCosting:
    """Everything that one target's cost follows from."""

    target: Target
    plan: Plan
    prices: CloudPrices
    observed: BilledTime
    setting: CostSettings

    def result(self) -> TargetCost:
        interval, note = _interval(self.observed)
        month = self.bill(self.mean_ms, free=False)
        return TargetCost(
            target=self.target.name,
            usd_per_million=self._estimate(interval, free=False),
            usd_per_million_free=self._estimate(interval, free=True),
            billed_ms=self._billed(interval),
            bill=month,
            assumptions=tuple(dict.fromkeys((*self._notes(), *note, *self.observed.assumptions, *month.assumptions))),
        )

    @property
    def mean_ms(self) -> Decimal:
        """The mean time of a request from which a month follows: as billed, or as worked where requests share."""
        times = (each.worked_ms if self.observed.shared else each.billed_ms for each in self.observed.instances)
        return sum(times, Decimal(0)) / self.observed.requests

    def month(self, volume: Decimal, *, free: bool) -> Bill:
        """The bill of a month with `volume` of these requests."""
        return replace(self, setting=replace(self.setting, volume=volume)).bill(self.mean_ms, free=free)

    def bill(self, time_ms: Decimal, *, free: bool) -> Bill:
        """A month's bill when a request takes `time_ms` on average: see `mean_ms`.

        Where requests share what is billed, how often they meet follows from the month's volume, not from the rate
        of the test.
        """
        volume, target, observed = self.setting.volume, self.target, self.observed
        calls = Calls(
            requests=volume,
            duration_ms=time_ms if observed.shared else observed.worked_ms,
            memory_mb=Decimal(target.memory_mb),
            init_ms=observed.init_ms,
            cold_share=observed.cold_share,
            instance_s=None if observed.shared else volume * time_ms / 1000,
            rate_per_s=volume / (MONTH_HOURS * 3600) if observed.shared else None,
            reserved=self.plan.reserve.minimum > 0,
        )
        usage = Usage(
            calls=(calls,),
            snapshots=Snapshots(memory_mb=calls.memory_mb),
            gateway=self.setting.gateway or gateway_before(target, self.plan),
            gateway_steps=observed.gateway_steps,
            egress_gb=observed.response_bytes * volume / _GIB,
            log_gb=self.setting.log_kb * volume / _KIB_PER_GIB,
            image_gb=self.setting.image_gb,
            concurrency=target.concurrency,
        )
        terms = BillTerms(self._region(), target.architecture, free)
        return bill_plan(self.plan, usage, terms=terms, prices=self.prices)

    def _estimate(self, interval: Interval | None, *, free: bool) -> Estimate:
        """Cost only rises with a request's time, so the ends of one interval are the ends of the other."""
        cost = self.bill(self.mean_ms, free=free).usd_per_million
        ends = None if interval is None else tuple(self.bill(end, free=free).usd_per_million for end in interval)
        return _as_estimate(self.observed.requests, cost, None if ends is None else (ends[0], ends[1]))

    def _billed(self, interval: Interval | None) -> Estimate:
        """Billed ms of a request, on average, as requests met in this run."""
        mean_ms = sum((each.billed_ms for each in self.observed.instances), Decimal(0)) / self.observed.requests
        return _as_estimate(self.observed.requests, mean_ms, None if self.observed.shared else interval)

    def _region(self) -> str | None:
        return None if self.target.region == LOCAL_REGION else self.target.region

    def _notes(self) -> list[str]:
        notes = [f"{self.setting.volume:,} requests a month; a month has {MONTH_HOURS} hours"]
        if self._region() is None:
            notes.append(f"the target is local: prices of {self.prices.default_region} are used")
        if not self.setting.image_gb:
            notes.append("image storage is not counted: its size was not given")
        return notes if self.setting.gateway else [*notes, *gateway_note(self.target, self.plan)]


def _interval(observed: BilledTime) -> tuple[Interval | None, list[str]]:
    """95 % interval of the mean time, with instances as units; None, and why, with too few of them."""
    known = [each for each in observed.instances if each.instance is not None]
    if len(known) < max(FEW, len(observed.instances)):
        return None, [NO_INTERVAL.format(count=len(known), few=FEW)]
    times = np.array([float(each.worked_ms if observed.shared else each.billed_ms) for each in known])
    low, high = ratio_interval(times, np.array([each.requests for each in known], dtype=np.float64))
    return (max(exact(low), Decimal(0)), exact(high)), []


def _as_estimate(n: int, value: Decimal, interval: Interval | None) -> Estimate:
    low, high = (None, None) if interval is None else (float(interval[0]), float(interval[1]))
    return Estimate(n=n, value=float(value), lo=low, hi=high)


def _with_reading(found: TargetCost, other: TargetCost, plan: str) -> TargetCost:
    """Put another reading of the plan's rules beside the cost, where it differs."""
    value = other.usd_per_million.value
    if value is None or value == found.usd_per_million.value:
        return found
    note = f"the rules of this plan are an open question: read as {plan}, a million requests cost {value:.2f} USD"
    return replace(found, reading=Reading(plan, other.usd_per_million), assumptions=(*found.assumptions, note))


def _unknown(target: Target, reason: str) -> TargetCost:
    nothing = Estimate(n=0, reason=reason)
    return TargetCost(target.name, nothing, nothing, nothing)
