"""Bootstrap by instance: requests of one instance resemble each other, so whole instances are drawn again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEW = 6  # with fewer instances, resampling them says nothing
RESAMPLES = 2000
_SEED = 20261120
_CONFIDENCE = 0.95


def resampled_means(values: NDArray[np.float64], instance: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of `values` for RESAMPLES draws of as many instances as there are.

    The draws are the same every time.
    """
    _, code = np.unique(instance, return_inverse=True)
    totals, sizes = np.bincount(code, weights=values), np.bincount(code).astype(np.float64)
    drawn = np.random.default_rng(_SEED).multinomial(totals.size, np.full(totals.size, 1 / totals.size), RESAMPLES)
    means: NDArray[np.float64] = (drawn @ totals) / (drawn @ sizes)
    return means


def spread_of_mean(values: NDArray[np.float64], instance: NDArray[np.int64]) -> float:
    """Return the standard error of the mean of `values` with instances as units, corrected for their small number."""
    count = np.unique(instance).size
    return float(resampled_means(values, instance).std() * np.sqrt(count / (count - 1)))


def median_effect(values: NDArray[np.float64], instance: NDArray[np.int64]) -> float | None:
    """Return the design effect of the median: its variance over that of independent samples.

    Return None when there are too few instances to tell, or when the effect may be chance (5 %).
    """
    count = np.unique(instance).size
    if count < FEW or (instance < 0).any():
        return None
    from scipy import stats  # takes long to import, and most callers do without

    below = (values <= np.median(values)).astype(np.float64)
    independent = below.var() / below.size
    if not independent:
        return None
    effect = spread_of_mean(below, instance) ** 2 / independent
    return float(effect) if stats.chi2.sf(effect * (count - 1), count - 1) < 1 - _CONFIDENCE else None


def resampled_ratios(totals: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sum of `totals` over the sum of `sizes` for RESAMPLES draws of as many instances as there are.

    `totals` and `sizes` have one entry for each instance, such as billed ms and requests. The draws are the same
    every time.
    """
    generator = np.random.default_rng(_SEED)
    ratios = np.empty(RESAMPLES)
    for index in range(RESAMPLES):  # one draw after the other: thousands of instances need no matrix
        drawn = generator.integers(0, totals.size, totals.size)
        ratios[index] = totals[drawn].sum() / sizes[drawn].sum()
    return ratios
