"""A sequential stopping rule on the width of intervals. Pure.

The rule looks at precision only, never at which target is ahead, so stopping by it does not favour a result.
Looks are spaced by a factor in sample size: few looks lose little coverage to chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate

LOOK_FACTOR = 1.25


@dataclass(frozen=True, slots=True)
class StoppingRule:
    """Stop when every estimate is known within `precision` (0.05: half its interval is 5 % of it), or at a limit."""

    precision: float = 0.05
    requests_max: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.precision < 1:
            raise ValueError(f"precision {self.precision!r}: expected a share above 0 and below 1, such as 0.05")
        if self.requests_max is not None and self.requests_max <= 0:
            raise ValueError(f"requests_max {self.requests_max!r}: expected a number above 0, or none")


@dataclass(frozen=True, slots=True)
class StoppingDecision:
    """Whether to stop, and why, in words; `precise` when it is because everything is known well enough."""

    stop: bool
    reason: str
    precise: bool = False


def relative_width(estimate: Estimate) -> float | None:
    """Half the interval over the value: 0.05 reads "known within 5 %"; None without an interval."""
    if not estimate.value or estimate.lo is None or estimate.hi is None:
        return None
    return (estimate.hi - estimate.lo) / 2 / abs(estimate.value)


def decide(rule: StoppingRule, estimates: Mapping[str, Estimate], *, requests: int) -> StoppingDecision:
    """Decide from the estimates so far, such as every target's p95, and from what the run has sent."""
    widths = {name: relative_width(estimate) for name, estimate in estimates.items()}
    vague = [name for name, width in widths.items() if width is None or width > rule.precision]
    within = f"{format_number(rule.precision * 100)} %"
    if estimates and not vague:
        return StoppingDecision(True, f"every one of {len(estimates)} figures is known within {within}", precise=True)
    open_ones = f"{', '.join(vague)} not yet known within {within}"
    if rule.requests_max is not None and requests >= rule.requests_max:
        return StoppingDecision(True, f"{requests:,} requests were sent, the limit; {open_ones}")
    return StoppingDecision(False, open_ones)


def next_look(n: int) -> int:
    """The sample size per target at which to look again."""
    return max(round(n * LOOK_FACTOR), n + 1)
