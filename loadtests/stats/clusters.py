"""Intervals with instances as units: requests of one instance resemble each other, so they do not count as many."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import CONFIDENCE, MEDIAN, needed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]

FEW = 6  # with fewer instances, nothing can be said of how much they differ
RESAMPLES = 1000
INSTANCES_DECIDE = 0.5  # share of the variance; above it, a high percentile is one of instances, not of requests
_SEED = 20261121
_TAIL = (1 - CONFIDENCE) / 2
_AT_ONCE = 4_000_000  # numbers of one part of the bootstrap


def count_instances(instance: Labels) -> int | None:
    """The number of instances, or None where some are not known (-1)."""
    return None if not instance.size or (instance < 0).any() else int(np.unique(instance).size)


def clustered_quantiles(
    values: Floats, instance: Labels, independent: Mapping[float, Estimate]
) -> dict[float, Estimate]:
    """Widen the intervals of quantiles, which `independent` holds for independent requests, by how instances differ.

    `values` are latencies and `instance` the number of the instance of each. The interval is the larger one of the
    order statistics' and a bootstrap by instance, on a logarithmic scale with Student's law for few instances. With
    fewer than FEW instances, or where some are not known, it stays as it is. Where instances differ more than their
    requests do, a high percentile takes as many instances as it would take requests, or it is not estimable.
    """
    count = count_instances(instance)
    known = [q for q, each in independent.items() if each.value is not None]
    if count is None or count < FEW or not known:
        return dict(independent)
    found = dict(independent)
    decided = share_between(values, instance) > INSTANCES_DECIDE
    spreads = _log_spreads(values, instance, known)
    for q in known:
        if decided and q > MEDIAN and count < needed(q):
            reason = (
                f"not estimable (its {count} instances differ more than requests do, needs {needed(q)} instances)"
            )
            found[q] = Estimate(n=independent[q].n, reason=reason)
        else:
            found[q] = _widened(independent[q], spreads[q], count)
    return found


def _widened(plain: Estimate, spread: float, count: int) -> Estimate:
    from scipy import stats  # takes long to import, and most callers do without

    value, lo, hi = plain.value, plain.lo, plain.hi
    if value is None or lo is None or hi is None or value <= 0:
        return plain
    # Few instances, drawn again, vary too little; and their spread is itself known from few.
    ratio = math.exp(float(stats.t.ppf(1 - _TAIL, count - 1)) * spread * math.sqrt(count / (count - 1)))
    return Estimate(n=plain.n, value=value, lo=min(lo, value / ratio), hi=max(hi, value * ratio))


def _log_spreads(values: Floats, instance: Labels, qs: list[float]) -> dict[float, float]:
    """The standard deviation of the logarithm of each quantile over draws of whole instances."""
    drawn = resampled_quantiles(values, instance, qs)
    return {q: float(np.log(np.maximum(drawn[:, index], 1e-9)).std()) for index, q in enumerate(qs)}


def resampled_quantiles(values: Floats, instance: Labels, qs: list[float]) -> Floats:
    """Quantiles of RESAMPLES draws of as many instances as there are, each with all its requests.

    One row for each draw and one column for each of `qs`; the draws are the same every time.
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    _, code = np.unique(instance[order], return_inverse=True)
    count = int(code.max()) + 1
    drawn = np.random.default_rng(_SEED).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    found = np.empty((RESAMPLES, len(qs)))
    step = max(_AT_ONCE // values.size, 1)
    for begin in range(0, RESAMPLES, step):
        below = np.cumsum(drawn[begin : begin + step][:, code], axis=1)
        for index, q in enumerate(qs):
            found[begin : begin + step, index] = ordered[np.argmax(below >= q * below[:, -1:], axis=1)]
    return found


def share_between(values: Floats, instance: Labels) -> float:
    """The share of the variance of log latencies that lies between instances (one-way analysis of variance), 0..1."""
    logs = np.log(np.maximum(values, 1e-9))
    _, code = np.unique(instance, return_inverse=True)
    sizes = np.bincount(code).astype(np.float64)
    count, total = sizes.size, logs.size
    if count < 2 or total <= count:
        return 0.0
    means = np.bincount(code, weights=logs) / sizes
    between = float((sizes * (means - logs.mean()) ** 2).sum()) / (count - 1)
    within = float(((logs - means[code]) ** 2).sum()) / (total - count)
    per_instance = (total - float((sizes**2).sum()) / total) / (count - 1)
    variance = max(between - within, 0.0) / per_instance
    return variance / (variance + within) if variance + within else 0.0


def ratio_interval(totals: Floats, sizes: Floats) -> tuple[float, float]:
    """The 95 % interval of the sum of `totals` over the sum of `sizes`, such as billed ms over requests.

    Both have one entry for each of at least FEW instances. By linearisation: an instance's part in the error is what
    its total differs from the ratio times its size; with Student's law for few instances.
    """
    from scipy import stats

    ratio, count = totals.sum() / sizes.sum(), totals.size
    errors = totals - ratio * sizes
    deviation = math.sqrt(count / (count - 1) * float((errors**2).sum())) / float(sizes.sum())
    half = float(stats.t.ppf(1 - _TAIL, count - 1)) * deviation
    return float(ratio - half), float(ratio + half)
