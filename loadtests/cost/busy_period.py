"""How long an instance is busy without a break when requests arrive at random and overlap in it. Pure.

A queue with infinitely many servers and a fixed duration (M/D/inf). Its busy period has the mean (exp(xd) - 1) / x
for rate x and duration d (Takacs, Introduction to the Theory of Queues, 1962). Rounding needs its distribution: as
long as the next request comes within d, the period begins anew with that request.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, exp, expm1, log2

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CELLS = 24  # of the grid, within a duration
_LONG = 8.0  # a period that lasts so many steps and durations on average may end anywhere within a step
_MOST_EXPONENT = 700.0  # what a float holds
_REACH = 20  # means; hardly any period lasts longer


@dataclass(frozen=True, slots=True)
class BusyPeriod:
    """Periods of requests that arrive at `rate` a second and take `duration_s`; each lasts `floor_s` at least.

    A request that comes before a period's end, the floor included, belongs to the period.
    """

    rate: float
    duration_s: float
    floor_s: float = 0.0

    @property
    def mean_s(self) -> float:
        """The mean length."""
        grown = expm1(min(self.rate * self.duration_s, _MOST_EXPONENT))
        return grown / self.rate + max(self.floor_s - self.duration_s, 0.0)

    def rounded_mean_s(self, step_s: float) -> float:
        """The mean length, each period rounded up to whole steps."""
        return _rounded_mean_s(self, step_s)


@lru_cache(maxsize=4096)
def _rounded_mean_s(period: BusyPeriod, step_s: float) -> float:
    if period.mean_s - period.floor_s > _LONG * max(step_s, period.duration_s):
        return period.mean_s + step_s / 2
    lengths, weights = _lengths(period)
    return float((np.ceil(lengths / step_s - 1e-9) * weights).sum()) * step_s / float(weights.sum())


def _lengths(period: BusyPeriod) -> tuple[Floats, Floats]:
    """Lengths on a grid, and how likely each is."""
    rate, duration_s = period.rate, period.duration_s
    cell_s = duration_s / _CELLS
    size = 2 ** ceil(log2(_REACH * max(period.mean_s, duration_s) / cell_s + 4 * _CELLS))
    cells = np.arange(_CELLS)
    mass = np.exp(-rate * cells * cell_s) * -expm1(-rate * cell_s)  # the next request comes in this cell
    after = np.zeros(size)  # from a period's first request to its last one
    after[:_CELLS] += mass / 2  # half at either end of the cell, so that the mean stays
    after[1 : _CELLS + 1] += mass / 2
    alone = exp(-rate * duration_s)
    last = np.maximum(np.fft.irfft(alone / (1 - np.fft.rfft(after)), size), 0.0)
    grid = np.arange(size) * cell_s
    if period.floor_s <= duration_s:
        return duration_s + grid, last
    # At the floor: nobody is left; or the last request is answered a little later; or one more comes before that.
    rest = np.zeros(size)
    rest[0] = alone
    middle = (cells + 0.5) * cell_s
    rest[_CELLS - cells] += mass * np.exp(-rate * (duration_s - middle))
    begun = np.zeros(size)
    begun[:_CELLS] = mass * -np.expm1(-rate * (duration_s - middle))
    following = np.maximum(np.fft.irfft(np.fft.rfft(begun) * np.fft.rfft(last), size), 0.0)
    rest[_CELLS:] += following[:-_CELLS]
    return period.floor_s + grid, rest
