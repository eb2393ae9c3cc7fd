"""Percentiles with distribution-free intervals.

The interval of a percentile is a pair of order statistics: the number of samples below the true q-quantile is
binomial(n, q) whatever the distribution, so the ranks follow from the binomial alone. No outlier is removed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFIDENCE = 0.95
MEDIAN = 0.5


@cache
def needed(q: float, *, confidence: float = CONFIDENCE) -> int:
    """The smallest n at which the q-quantile has an interval: at fewer, even the extremes miss it too often.

    All n samples lie on one side of the quantile with probability max(q, 1-q)^n, which must not exceed one tail.
    """
    tail = (1 - confidence) / 2
    return math.ceil(math.log(tail) / math.log(max(q, 1 - q)))


@cache
def ranks(n: int, q: float, *, confidence: float = CONFIDENCE) -> tuple[int, int] | None:
    """Ranks (from 1) of the two order statistics that hold the q-quantile between them, None when n is too small.

    Starts from equal tails, each at most half of what may be missed, then gives up a rank on the side where
    that costs least while the whole interval still covers with `confidence`: ranks are discrete, and equal
    tails alone would cover more, and be wider, than promised.
    """
    if n < needed(q, confidence=confidence):
        return None
    below = stats.binom(n, q)
    tail = (1 - confidence) / 2
    low, high = max(int(below.ppf(tail)), 1), min(int(below.ppf(1 - tail)) + 1, n)
    while True:
        narrower = [(low + 1, high), (low, high - 1)]
        best = max(narrower, key=lambda pair: _coverage(pair, n, q))
        if best[0] >= best[1] or _coverage(best, n, q) < confidence:
            return low, high
        low, high = best


def _coverage(pair: tuple[int, int], n: int, q: float) -> float:
    low, high = pair
    return float(stats.binom.cdf(high - 1, n, q) - stats.binom.cdf(low - 1, n, q))


def percentile(values: NDArray[np.float64], q: float, *, unanswered: int = 0) -> Estimate:
    """The q-quantile of `values` (any order, finite) with its interval, or the reason why there is none.

    `unanswered` requests have no value but are known to be slower than every answer: they take the highest
    ranks, so that a target cannot look faster by not answering. The value interpolates linearly between
    ranks (numpy's default definition).
    """
    return percentiles(values, [q], unanswered=unanswered)[q]


def percentiles(values: NDArray[np.float64], qs: Sequence[float], *, unanswered: int = 0) -> Mapping[float, Estimate]:
    """`percentile` for several quantiles, sorting once."""
    ordered = np.sort(values)
    return {q: _estimate(ordered, q, unanswered) for q in qs}


def _estimate(ordered: NDArray[np.float64], q: float, unanswered: int) -> Estimate:
    n = ordered.size + unanswered
    pair = ranks(n, q)
    if pair is None:
        return Estimate(n=n, reason=f"not estimable (n={n}, needs {needed(q)})")
    low, high = pair
    if high > ordered.size:
        return Estimate(n=n, reason=f"not estimable (n={n}, no upper end: {unanswered} never answered)")
    index = (n - 1) * q
    left = math.floor(index)
    right = min(left + 1, ordered.size - 1)
    value = float(ordered[left] + (ordered[right] - ordered[left]) * (index - left))
    return Estimate(n=n, value=value, lo=float(ordered[low - 1]), hi=float(ordered[high - 1]))
