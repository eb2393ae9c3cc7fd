"""Ratios of what was measured side by side, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.percentiles import MEDIAN, percentile

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate


@dataclass(frozen=True, slots=True)
class RatioTarget:
    """What a ratio is to reach, and on which side of it."""

    bound: float
    at_most: bool

    def met(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:.2f}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The median over rounds of (upper's time / lower's time in the same round)."""

    name: str
    upper: str
    lower: str
    estimate: Estimate
    target: RatioTarget | None = None


def paired(times_s: Mapping[str, Sequence[float]], upper: str, lower: str) -> Estimate:
    """Divide round by round: whatever slowed the machine down in a round slowed both."""
    return percentile(np.array(times_s[upper], dtype=np.float64) / np.array(times_s[lower], dtype=np.float64), MEDIAN)


def median_ms(times_s: Sequence[float]) -> Estimate:
    """The median in ms."""
    return percentile(np.array(times_s, dtype=np.float64) * 1000, MEDIAN)
