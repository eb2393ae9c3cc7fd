"""Percentiles of a stream in constant memory: counts in buckets that are a fixed share wide.

The value that is given for a rank is off by at most `ERROR` of it, whatever the distribution, unlike that of a
sketch which merges its clusters. Ranks and intervals are those of `loadtests.stats.percentiles`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import needed, ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

LOWEST_MS, HIGHEST_MS = 0.01, 1e6
ERROR = 0.001
_WIDTH = math.log1p(2 * ERROR)
_ranks = ranks.__wrapped__  # n is another at every look: what is remembered would only grow
_BUCKETS = math.ceil(math.log(HIGHEST_MS / LOWEST_MS) / _WIDTH)


class Histogram:
    """How many values, in milliseconds, fell into each bucket; 70 KB however many there are.

    What is below LOWEST_MS or above HIGHEST_MS counts in the first or the last bucket.
    """

    def __init__(self) -> None:
        self._counts = np.zeros(_BUCKETS, dtype=np.int64)
        self.n = 0

    def add(self, values_ms: Sequence[float]) -> None:
        """Count finite values."""
        values = np.clip(np.asarray(values_ms, dtype=np.float64), LOWEST_MS, HIGHEST_MS)
        places = np.minimum((np.log(values / LOWEST_MS) / _WIDTH).astype(np.int64), _BUCKETS - 1)
        np.add.at(self._counts, places, 1)
        self.n += values.size

    def plus(self, values_ms: Sequence[float]) -> Histogram:
        """Another one that counts these values too."""
        other = Histogram()
        other._counts, other.n = self._counts.copy(), self.n
        other.add(values_ms)
        return other

    def percentiles(self, qs: Sequence[float], *, unanswered: int = 0) -> list[Estimate]:
        """The quantiles with their intervals; `unanswered` as for `loadtests.stats.percentiles.percentiles`."""
        below = np.cumsum(self._counts)
        return [self._estimate(below, q, unanswered) for q in qs]

    def _estimate(self, below: NDArray[np.int64], q: float, unanswered: int) -> Estimate:
        n = self.n + unanswered
        pair = _ranks(n, q)
        if pair is None:
            return Estimate(n=n, reason=f"not estimable (n={n}, needs {needed(q)})")
        if pair[1] > self.n:
            return Estimate(n=n, reason=f"not estimable (n={n}, no upper end: {unanswered} never answered)")
        place = (n - 1) * q + 1
        left, right = (_value_ms(below, min(rank, self.n)) for rank in (math.floor(place), math.ceil(place)))
        value = left + (right - left) * (place - math.floor(place))
        return Estimate(n=n, value=value, lo=_value_ms(below, pair[0]), hi=_value_ms(below, pair[1]))


def _value_ms(below: NDArray[np.int64], rank: int) -> float:
    """The middle of the bucket that holds the value of that rank (from 1)."""
    bucket = int(np.searchsorted(below, rank, "left"))
    return LOWEST_MS * math.exp((bucket + 0.5) * _WIDTH)
