"""Forecast what a load will cost before it is sent: the likely cost and the highest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from loadtests.cost.tariff import request_prices
from loadtests.plan.phases import Closed
from loadtests.plan.scenarios import PROBES

if TYPE_CHECKING:
    from loadtests.plan.phases import Phase
    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook

LIKELY_MS = 250  # of a warm request; round figures, on the high side of what was measured
LIKELY_START_MS = 4000  # of a cold start, besides
_SHORTEST_TURN_S = 0.05  # of a user who does not think


@dataclass(frozen=True, slots=True)
class Forecast:
    """`requests` of all targets together, `starts` of them cold by intent; money in USD without any free grant."""

    requests: int
    starts: int
    likely_usd: Decimal
    highest_usd: Decimal

    def sentence(self) -> str:
        return (
            f"{self.requests:,} requests, about {self.likely_usd:.4f} USD at {LIKELY_MS} ms each and "
            f"{LIKELY_START_MS / 1000:g} s for each of {self.starts:,} cold starts; {self.highest_usd:.2f} USD if "
            "every one ran into its time limits"
        )


def forecast(targets: Sequence[Target], phases: Sequence[Phase], book: PriceBook, *, tries: int = 0) -> Forecast:
    """The cost of `phases` on `targets` at the prices of `book`. Raises BudgetError for a target without a price.

    `tries` are requests to each target before the run, the first of which starts cold.
    """
    counts = [(phase.stratum, _requests(phase)) for phase in phases]
    requests = tries + PROBES + sum(count for _, count in counts)
    starts = min(tries, 1) + 1 + sum(count for stratum, count in counts if stratum != "steady")
    tariffs = request_prices(targets, book).values()
    likely, cold = Decimal(LIKELY_MS), Decimal(LIKELY_MS + LIKELY_START_MS)
    likely_usd = ((requests - starts) * each.usd(likely) + starts * each.usd(cold, starts=1) for each in tariffs)
    return Forecast(
        requests=requests * len(targets),
        starts=starts * len(targets),
        likely_usd=sum(likely_usd, Decimal(0)),
        highest_usd=sum((requests * each.highest_usd for each in tariffs), Decimal(0)),
    )


def _requests(phase: Phase) -> int:
    """To one target; of a closed loop as many as its users could ask."""
    if isinstance(phase, Closed):
        return int(phase.users * phase.duration_s / max(phase.think_s, _SHORTEST_TURN_S))
    return len(phase.offsets_s(Random(0)))
