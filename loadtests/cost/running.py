"""What the requests of a run cost so far: billed time is added up as they come, a few at a time are kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from loadtests.cost.billed_time import BilledRequests, BilledTime, observe
from loadtests.cost.measured import cost_of_observed
from loadtests.cost.plans import load_plan
from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.cost.plan import Plan
    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook
    from loadtests.record.sample import Sample

BLOCK = 2000  # requests that are billed together: overlaps within one are found, those across two count twice
_ZERO = Decimal(0)

Kind = Literal["steady", "provoked"]


def kind_of(sample: Sample) -> Kind | None:
    """None for a warm-up request, which is billed but stands for none."""
    if sample.stratum == "warm-up":
        return None
    return "steady" if sample.stratum == "steady" else "provoked"


@dataclass(frozen=True, slots=True)
class _Total:
    """Sums over the requests of finished blocks."""

    requests: int = 0
    billed_ms: Decimal = _ZERO
    worked_ms: Decimal = _ZERO
    cold: Decimal = _ZERO
    response_bytes: Decimal = _ZERO
    gateway_steps: Decimal = _ZERO

    def plus(self, block: BilledTime) -> _Total:
        n = block.requests
        return _Total(
            self.requests + n,
            self.billed_ms + sum((each.billed_ms for each in block.instances), _ZERO),
            self.worked_ms + block.worked_ms * n,
            self.cold + block.cold_share * n,
            self.response_bytes + block.response_bytes * n,
            self.gateway_steps + block.gateway_steps * n,
        )

    def observed(self) -> BilledTime:
        """As one instance: without an interval."""
        n = self.requests
        billed = (BilledRequests(n, self.billed_ms),)
        sizes = self.response_bytes / n, (), self.gateway_steps / n
        return BilledTime(billed, (), self.worked_ms / n, self.cold / n, *sizes)


class RunningCost:
    """The cost of one target's requests, by the same rules as `cost_of`, without its interval.

    Up to BLOCK requests it is the same figure. As there, the steady requests stand for all where there are any.
    """

    def __init__(self, target: Target, book: PriceBook) -> None:
        self._target = target
        self._book = book
        self._sent = 0
        self._totals: defaultdict[Kind, _Total] = defaultdict(_Total)
        self._open: defaultdict[Kind, list[Sample]] = defaultdict(list)
        self._plan: Plan | None = None
        self._reason = ""
        try:
            self._plan = load_plan(target.cloud, target.plan)
        except (LookupError, ValueError) as error:
            self._reason = str(error)

    def take(self, samples: Sequence[Sample]) -> None:
        """Add requests of this target."""
        for sample in samples:
            if sample.outcome == "dropped":
                continue
            self._sent += 1
            if (kind := kind_of(sample)) is not None:
                self._open[kind].append(sample)
        for own, waiting in self._open.items():
            while len(waiting) >= BLOCK and self._plan is not None:
                self._totals[own] = self._totals[own].plus(self._observe(self._plan, waiting[:BLOCK]))
                del waiting[:BLOCK]
        if self._plan is None:
            self._open.clear()

    def usd_per_million(self, more: Sequence[Sample] = ()) -> Estimate:
        """USD per million requests, these `more` with them, without free grant; or why it is not known."""
        if self._plan is None:
            return Estimate(n=0, reason=self._reason)
        total = self._total("steady", self._plan, more) or self._total("provoked", self._plan, more)
        if total is None:
            return Estimate(n=0, reason="no request of this target was sent after the warm-up")
        try:
            return cost_of_observed(self._target, self._plan, total.observed(), self._book).usd_per_million
        except (LookupError, ValueError) as error:
            return Estimate(n=0, reason=str(error))

    def sent(self, more: Sequence[Sample] = ()) -> int:
        """How many requests were sent, `more` with them."""
        return self._sent + sum(sample.outcome != "dropped" for sample in more)

    def _total(self, kind: Kind, plan: Plan, more: Sequence[Sample]) -> _Total | None:
        """Finished blocks and the open one with `more`; None when there is no request of the kind."""
        total = self._totals[kind]
        waiting = [*self._open[kind], *(each for each in more if kind_of(each) == kind and each.outcome != "dropped")]
        if waiting:
            total = total.plus(self._observe(plan, waiting))
        return total if total.requests else None

    def _observe(self, plan: Plan, samples: Sequence[Sample]) -> BilledTime:
        return observe(plan.duration, samples, concurrency=self._target.concurrency)
