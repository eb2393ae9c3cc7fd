"""Estimate the cost of a million requests from the time of one request here, with `loadtests.cost`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from adapters import contract
from adapters.emulator.memory_sizes import check_memory, cpu_share
from loadtests.cost.comparison import PlanChoice, candidates
from loadtests.cost.question import CostQuestion, monthly_volume, share
from loadtests.prices.library import open_book
from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from loadtests.cost.comparison import PlanCandidate

_NORMAL_95 = 1.959964


@dataclass(frozen=True, slots=True)
class PricedPlan:
    """Where the requests would be bought: a plan, a memory size in MB and the part of a vCPU that comes with it."""

    candidate: PlanCandidate
    memory_mb: int
    vcpu: float
    requests: Decimal
    cold_share: Decimal

    @property
    def words(self) -> str:
        """The plan and what is assumed, in a sentence."""
        return (
            f"{self.candidate.name} in {self.candidate.region}, {self.memory_mb} MB ({self.vcpu:.2f} vCPU), "
            f"{self.requests:,.0f} requests a month, {self.cold_share:.1%} of them cold, without the free grant"
        )

    def usd_per_million(self, times_ms: Sequence[float], start_ms: float) -> Estimate:
        """Cost of a million requests that take as long as here, longer where less than one vCPU is bought.

        A request's mean time has a normal interval, and the cost rises with it.
        """
        values = np.array(times_ms, dtype=np.float64)
        mean, n = float(values.mean()), values.size
        half = _NORMAL_95 * float(values.std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
        found = [self._usd(time_ms, start_ms) for time_ms in (mean, mean - half, mean + half)]
        return Estimate(n=n, value=found[0], lo=found[1], hi=found[2])

    def _usd(self, time_ms: float, start_ms: float) -> float:
        slower = 1 / min(self.vcpu, 1.0)  # one thread cannot use more than one
        question = CostQuestion(
            duration_ms=Decimal(f"{time_ms * slower:.6f}"),
            memory_mb=Decimal(self.memory_mb),
            requests=self.requests,
            cold_share=self.cold_share,
            init_ms=Decimal(f"{start_ms * slower:.6f}"),
        )
        return float(self.candidate.bill(question, free=False).usd_per_million)


def offer(plan: str, memory_mb: int, *, requests: str, cold_share: str) -> PricedPlan:
    """Read `CLOUD/PLAN` and the rest. Raises ValueError or LookupError naming what is known."""
    cloud, _, name = plan.partition("/")
    if cloud not in contract.clouds() or not name:
        raise ValueError(
            f"plan {plan!r}: expected CLOUD/PLAN such as aws/on-demand, of {', '.join(contract.clouds())}"
        )
    memory = contract.load(cloud).data["memory"]
    check_memory(memory, memory_mb)
    ways = candidates(PlanChoice(clouds=(cloud,), plans=(name,)), open_book(None))
    return PricedPlan(ways[0], memory_mb, cpu_share(memory, memory_mb), monthly_volume(requests), share(cold_share))
