"""What the requests of a run cost so far: billed time is added up as they come, a few at a time are kept."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from loadtests.cost.observed import Billed, Observed, observe
from loadtests.cost.plans import load_plan
from loadtests.cost.run import cost_of_observed
from loadtests.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.cost.plans import Plan
    from loadtests.prices.book import PriceBook
    from loadtests.sample import Sample
    from loadtests.targets import Target

BLOCK = 2000  # requests that are billed together: overlaps within one are found, those across two count twice
_ZERO = Decimal(0)

Kind = Literal["steady", "provoked"]


@dataclass(frozen=True, slots=True)
class _Total:
    """Sums over the requests of finished blocks."""

    requests: int = 0
    billed_ms: Decimal = _ZERO
    worked_ms: Decimal = _ZERO
    cold: Decimal = _ZERO
    response_bytes: Decimal = _ZERO

    def plus(self, block: Observed) -> _Total:
        n = block.requests
        return _Total(
            self.requests + n,
            self.billed_ms + sum((each.billed_ms for each in block.instances), _ZERO),
            self.worked_ms + block.worked_ms * n,
            self.cold + block.cold_share * n,
            self.response_bytes + block.response_bytes * n,
        )

    def observed(self) -> Observed:
        """As one instance: without an interval."""
        n = self.requests
        billed = (Billed(n, self.billed_ms),)
        return Observed(billed, (), self.worked_ms / n, self.cold / n, self.response_bytes / n, ())


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
            if sample.stratum != "warm-up":
                self._open["steady" if sample.stratum == "steady" else "provoked"].append(sample)
        for kind, waiting in self._open.items():
            while len(waiting) >= BLOCK and self._plan is not None:
                self._totals[kind] = self._totals[kind].plus(self._observe(self._plan, waiting[:BLOCK]))
                del waiting[:BLOCK]
        if self._plan is None:
            self._open.clear()

    def usd_per_million(self) -> Estimate:
        """USD per million requests, without free grant, or why it is not known."""
        if self._plan is None:
            return Estimate(n=0, reason=self._reason)
        total = self._total("steady", self._plan) or self._total("provoked", self._plan)
        if total is None:
            return Estimate(n=0, reason="no request of this target was sent after the warm-up")
        try:
            return cost_of_observed(self._target, total.observed(), self._book).usd_per_million
        except (LookupError, ValueError) as error:
            return Estimate(n=0, reason=str(error))

    def usd(self) -> float:
        """What all requests that were sent so far cost at that price; 0 where it is not known."""
        return (self.usd_per_million().value or 0.0) * self._sent / 1e6

    def _total(self, kind: Kind, plan: Plan) -> _Total | None:
        """Finished blocks and the open one; None when there is no request of the kind."""
        total, waiting = self._totals[kind], self._open[kind]
        if waiting:
            total = total.plus(self._observe(plan, waiting))
        return total if total.requests else None

    def _observe(self, plan: Plan, samples: Sequence[Sample]) -> Observed:
        return observe(plan.duration, samples, concurrency=self._target.concurrency)
