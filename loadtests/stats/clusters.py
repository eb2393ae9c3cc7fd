"""Bootstrap by instance: requests of one instance resemble each other, so instances are resampled, not requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from loadtests.stats.estimate import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 6  # with fewer instances, resampling them says nothing
RESAMPLES = 2000
_SEED = 20261120
_CONFIDENCE = 0.95


def resampled_means(values: NDArray[np.float64], instance: NDArray[np.int64]) -> NDArray[np.float64]:
    """Means of `values` over RESAMPLES draws of as many instances as there are; the same draws every time."""
    _, code = np.unique(instance, return_inverse=True)
    totals, sizes = np.bincount(code, weights=values), np.bincount(code).astype(np.float64)
    drawn = np.random.default_rng(_SEED).multinomial(totals.size, np.full(totals.size, 1 / totals.size), RESAMPLES)
    means: NDArray[np.float64] = (drawn @ totals) / (drawn @ sizes)
    return means


def spread_of_mean(values: NDArray[np.float64], instance: NDArray[np.int64]) -> float:
    """Standard error of the mean of `values` when instances are the unit; corrected for their small number."""
    count = np.unique(instance).size
    return float(resampled_means(values, instance).std() * np.sqrt(count / (count - 1)))


def median_effect(values: NDArray[np.float64], instance: NDArray[np.int64]) -> float | None:
    """Design effect of the median: how many times wider its variance is than that of independent samples.

    None when the number of instances is too small to tell, or the effect may be chance (5 %).
    """
    count = np.unique(instance).size
    if count < FEW or (instance < 0).any():
        return None
    below = (values <= np.median(values)).astype(np.float64)
    independent = below.var() / below.size
    if not independent:
        return None
    effect = spread_of_mean(below, instance) ** 2 / independent
    return float(effect) if stats.chi2.sf(effect * (count - 1), count - 1) < 1 - _CONFIDENCE else None


def mean_by_instance(values: NDArray[np.float64], instance: NDArray[np.int64]) -> Estimate:
    """Mean of `values` with a bootstrap interval by instance, or the reason why there is none."""
    count = np.unique(instance).size
    if count < FEW:
        return Estimate(n=count, reason=f"not estimable ({count} instances, needs {FEW})")
    tail = (1 - _CONFIDENCE) / 2
    lo, hi = np.quantile(resampled_means(values, instance), (tail, 1 - tail))
    return Estimate(n=count, value=float(values.mean()), lo=float(lo), hi=float(hi))
