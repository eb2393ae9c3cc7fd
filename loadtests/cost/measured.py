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
from loadtests.stats.clusters import FEW, resampled_ratios
from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.plan.targets import Target
    from loadtests.prices.book import CloudPrices, PriceBook
    from loadtests.record.sample import Sample

DEFAULT_VOLUME = Decimal(10_000_000)
LOCAL_REGION = "local"
_NORMAL_95 = 1.959964
_GIB = Decimal(1024**3)
_KIB_PER_GIB = Decimal(1024**2)

Interval = tuple[Decimal, Decimal]

BY_REQUEST = "the interval is over requests: it takes {few} instances to resample them, {count} were seen"
NO_INTERVAL = "no interval: it takes {few} instances to resample them, {count} were seen"


@dataclass(frozen=True, slots=True)
class CostSettings:
    """What the samples cannot tell: requests a month, another gateway than the target's, logs and image kept."""

    volume: Decimal = DEFAULT_VOLUME
    gateway: str | None = None
    log_kb: Decimal = Decimal(0)
    image_gb: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class TargetCost:
    """Cost of a million requests of one target, without and with the free grant, and the month's bill behind it."""

    target: str
    usd_per_million: Estimate
    usd_per_million_free: Estimate
    billed_ms: Estimate
    bill: Bill | None = None
    assumptions: tuple[str, ...] = ()

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
    The interval is a bootstrap by instance. What cannot be costed has estimates with a reason.
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
        return replace(found, assumptions=(*found.assumptions, *_reading(found, other, plan.alternative)))
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
        mean_ms = self.mean_ms
        interval, note = _interval(self.observed)
        month = self.bill(mean_ms, free=False)
        return TargetCost(
            target=self.target.name,
            usd_per_million=self._estimate(mean_ms, interval, free=False),
            usd_per_million_free=self._estimate(mean_ms, interval, free=True),
            billed_ms=_as_estimate(self.observed.requests, mean_ms, interval),
            bill=month,
            assumptions=tuple(dict.fromkeys((*self._notes(), *note, *self.observed.assumptions, *month.assumptions))),
        )

    @property
    def mean_ms(self) -> Decimal:
        """Billed time of a request, on average."""
        return sum((each.billed_ms for each in self.observed.instances), Decimal(0)) / self.observed.requests

    def month(self, volume: Decimal, *, free: bool) -> Bill:
        """The bill of a month with `volume` of these requests."""
        return replace(self, setting=replace(self.setting, volume=volume)).bill(self.mean_ms, free=free)

    def bill(self, billed_ms: Decimal, *, free: bool) -> Bill:
        """A month's bill when a request is billed `billed_ms` on average."""
        volume, target = self.setting.volume, self.target
        calls = Calls(
            requests=volume,
            duration_ms=self.observed.worked_ms,
            memory_mb=Decimal(target.memory_mb),
            cold_share=self.observed.cold_share,
            instance_s=volume * billed_ms / 1000,
            reserved=self.plan.reserve.minimum > 0,
        )
        usage = Usage(
            calls=(calls,),
            snapshots=Snapshots(memory_mb=calls.memory_mb),
            gateway=self.setting.gateway or gateway_before(target, self.plan),
            gateway_steps=self.observed.gateway_steps,
            egress_gb=self.observed.response_bytes * volume / _GIB,
            log_gb=self.setting.log_kb * volume / _KIB_PER_GIB,
            image_gb=self.setting.image_gb,
            concurrency=target.concurrency,
        )
        terms = BillTerms(self._region(), target.architecture, free)
        return bill_plan(self.plan, usage, terms=terms, prices=self.prices)

    def _estimate(self, mean_ms: Decimal, interval: Interval | None, *, free: bool) -> Estimate:
        """Cost only rises with billed time, so the ends of one interval are the ends of the other."""
        cost = self.bill(mean_ms, free=free).usd_per_million
        ends = None if interval is None else tuple(self.bill(end, free=free).usd_per_million for end in interval)
        return _as_estimate(self.observed.requests, cost, None if ends is None else (ends[0], ends[1]))

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
    """95 % interval of the mean billed ms, and what is to be said of it."""
    count = len(observed.instances)
    if count >= FEW:
        return _by_instance(observed), []
    if len(observed.per_request_ms) < FEW:
        return None, [NO_INTERVAL.format(count=count, few=FEW)]
    return _by_request(observed.per_request_ms), [BY_REQUEST.format(count=count, few=FEW)]


def _by_instance(observed: BilledTime) -> Interval:
    """Return percentiles of the mean billed time over instances that are drawn with replacement."""
    times = np.array([float(each.billed_ms) for each in observed.instances])
    requests = np.array([each.requests for each in observed.instances], dtype=np.float64)
    low, high = np.quantile(resampled_ratios(times, requests), (0.025, 0.975))
    return exact(low), exact(high)


def _by_request(times_ms: Sequence[Decimal]) -> Interval:
    """Normal interval of the mean of independent requests."""
    times = np.array([float(time) for time in times_ms])
    half = exact(_NORMAL_95 * times.std(ddof=1) / np.sqrt(times.size))
    mean = sum(times_ms, Decimal(0)) / len(times_ms)
    return max(mean - half, Decimal(0)), mean + half


def _as_estimate(n: int, value: Decimal, interval: Interval | None) -> Estimate:
    low, high = (None, None) if interval is None else (float(interval[0]), float(interval[1]))
    return Estimate(n=n, value=float(value), lo=low, hi=high)


def _reading(found: TargetCost, other: TargetCost, name: str) -> list[str]:
    """How another reading of the plan's rules comes out, where it differs."""
    value = other.usd_per_million.value
    if value is None or value == found.usd_per_million.value:
        return []
    return [f"the rules of this plan are an open question: read as {name}, a million requests cost {value:.2f} USD"]


def _unknown(target: Target, reason: str) -> TargetCost:
    nothing = Estimate(n=0, reason=reason)
    return TargetCost(target.name, nothing, nothing, nothing)
