"""A cap on what a run may cost: asked before each request, so that it is never passed. Pure.

Each request reserves the most that it could cost before it is sent, and gives the rest back when its answer is
in. What it really cost is counted at the list price, alone in its instance and without any free grant, so that
the sum is never below the bill.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from loadtests.cost import bill, usage_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loadtests.sample import Sample
    from loadtests.targets import Target

_ZERO = Decimal(0)
_STEP_MS = 10  # durations are rounded up to this, so that few prices are computed


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The longest that one request of a target can run and start up: the limits that its cloud enforces."""

    target: Target
    timeout_ms: float
    init_timeout_ms: float

    def highest_usd(self) -> Decimal:
        return request_usd(self.target, self.timeout_ms, self.init_timeout_ms)

    def usd_of(self, sample: Sample) -> Decimal:
        """What one request cost at most, by what is known of it; one that was never sent cost nothing."""
        if sample.sent_s is None:
            return _ZERO
        duration_ms = sample.total_ms if sample.total_ms is not None else sample.service_ms
        if duration_ms is None:
            return self.highest_usd()
        unknown_start = sample.instance is None
        init_ms = (
            self.init_timeout_ms if unknown_start else (sample.init_ms or 0.0) if sample.state == "cold" else 0.0
        )
        return min(request_usd(self.target, duration_ms, init_ms), self.highest_usd())


@dataclass(slots=True)
class Budget:
    """`cap_usd` for everything together; `standing_usd` is what is held ready for the time of the run.

    Split a cap over workers by giving each its share.
    """

    cap_usd: Decimal
    ceilings: Mapping[str, Ceiling]
    standing_usd: Decimal = _ZERO
    spent_usd: Decimal = field(default=_ZERO, init=False)
    reserved_usd: Decimal = field(default=_ZERO, init=False)
    exhausted: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        if not self.cap_usd.is_finite() or self.cap_usd <= 0:
            raise ValueError(f"budget is {self.cap_usd} USD: expected an amount above 0")
        self.spent_usd = self.standing_usd

    def reserve(self, target: str) -> bool:
        """Whether one more request to `target` may be sent; False from the first time on that it may not."""
        highest = self.ceilings[target].highest_usd()
        self.exhausted |= self.spent_usd + self.reserved_usd + highest > self.cap_usd
        if not self.exhausted:
            self.reserved_usd += highest
        return not self.exhausted

    def settle(self, sample: Sample) -> None:
        """Count a request that was reserved, now that its sample is there."""
        ceiling = self.ceilings[sample.target]
        self.reserved_usd -= ceiling.highest_usd()
        self.spent_usd += ceiling.usd_of(sample)


def request_usd(target: Target, duration_ms: float, init_ms: float) -> Decimal:
    """One request at the list price, alone in its instance, without any free grant."""
    return _priced(target, math.ceil(duration_ms / _STEP_MS), math.ceil(init_ms / _STEP_MS))


@lru_cache(maxsize=65536)
def _priced(target: Target, duration_steps: int, init_steps: int) -> Decimal:
    start = {"init_ms": init_steps * _STEP_MS, "cold_share": 1} if init_steps else {}
    usage = usage_of(1, duration_steps * _STEP_MS, target.memory_mb, **start)
    found = bill(target.cloud, target.plan, usage, region=target.region, architecture=target.architecture, free=False)
    return found.usd
