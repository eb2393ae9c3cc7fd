"""Choose fewer points for a chart, by rules that the page tells. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEPS_MAX = 1_200  # of one curve; above it, ranks are taken at even distances
TAIL = 200  # and all of the slowest, where every one tells
_SEED = 20261121


def curve_ranks(n: int) -> NDArray[np.int64]:
    """The ranks (from 0) of `n` ordered values that draw their distribution.

    All of them up to `STEPS_MAX`; above that, even steps, and every one of the slowest `TAIL`: the curve is then off
    by at most one step, under 0.1 %.
    """
    if n <= STEPS_MAX:
        return np.arange(n)
    even = np.linspace(0, n - 1, STEPS_MAX - TAIL).round().astype(np.int64)
    return np.union1d(even, np.arange(n - TAIL, n))


def drawn(values: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Places of at most `limit` of `values`, in order: the slowest tenth of `limit`, the rest drawn at random.

    The seed is fixed, so that the same run gives the same picture.
    """
    if values.size <= limit:
        return np.arange(values.size)
    slowest = np.argsort(values, kind="stable")[values.size - limit // 10 :]
    others = np.setdiff1d(np.arange(values.size), slowest)
    chosen = np.random.default_rng(_SEED).choice(others, limit - slowest.size, replace=False)
    return np.union1d(slowest, chosen)


def short(value: float) -> float:
    """Four significant digits: what a chart can show, in a few bytes."""
    return float(f"{value:.4g}")
