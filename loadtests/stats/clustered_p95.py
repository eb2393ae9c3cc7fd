"""The interval of a warm p95 when instances differ: a sweep's rounds give every setting several. Pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from loadtests.stats.clusters import FEW, RESAMPLES
from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SEED = 20261121
_TAIL = 0.025
_Q = 0.95


def clustered_p95(values: NDArray[np.float64], instance: NDArray[np.int64], independent: Estimate) -> Estimate:
    """Widen `independent` to the interval of a bootstrap by instance, where that is wider.

    `values` are the latencies and `instance` the number of the instance that answered each, -1 where it is not known.
    With fewer than FEW instances, or none known, it stays as it is.
    """
    value, lo, hi = independent.value, independent.lo, independent.hi
    count = np.unique(instance).size
    if value is None or lo is None or hi is None or count < FEW or (instance < 0).any():
        return independent
    # Few instances, drawn again, vary too little; their spread is itself known by few.
    # Ratios, not differences: a latency is positive, and instances are some percent apart.
    spread = float(np.log(resampled_p95s(values, instance)).std()) * math.sqrt(count / (count - 1))
    ratio = math.exp(float(stats.t.ppf(1 - _TAIL, count - 1)) * spread)
    return Estimate(n=independent.n, value=value, lo=min(lo, value / ratio), hi=max(hi, value * ratio))


def resampled_p95s(values: NDArray[np.float64], instance: NDArray[np.int64]) -> NDArray[np.float64]:
    """The p95 of RESAMPLES draws of as many instances as there are, with all their requests; the same every time."""
    order = np.argsort(values, kind="stable")
    _, code = np.unique(instance[order], return_inverse=True)
    count = int(code.max()) + 1
    drawn = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    below = np.cumsum(drawn[:, code], axis=1)
    places = np.argmax(below >= _Q * below[:, -1:], axis=1)
    found: NDArray[np.float64] = values[order][places]
    return found
