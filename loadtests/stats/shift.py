"""How much slower one target is than another: Mann-Whitney test and Hodges-Lehmann shift, in blocks of time.

Two interleaved targets drift together. Only pairs from the same block of time are compared (van Elteren's
stratified form of the test), so that what changes between blocks hits both sides alike and cancels. The test,
the shift and its interval all rest on one statistic: the number of pairs in which the second is slower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import optimize, stats

from loadtests.stats.effects import DesignEffect, design_effect
from loadtests.stats.exact import SMALL, null_distribution

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.stats.series import Series

    Floats = NDArray[np.float64]
    Blocks = Sequence[tuple[Floats, Floats]]

CONFIDENCE = 0.95
BLOCK_SAMPLES = 40  # both targets together; a block of 20 and 20 loses 2.5 % of the test's power
BLOCKS_MAX = 50
_TOLERANCE = 1e-9


class NotComparable(ValueError):
    """The two series cannot be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Shift:
    """By how much the second series is above the first, in their unit, with a 95 % interval; `p` is two-sided.

    `effect` is how the variance differs from that of independent requests; None where nothing tells.
    `basis` says what it rests on, such as "10 instances", where that is not the requests.
    """

    n_first: int
    n_second: int
    value: float
    lo: float
    hi: float
    p: float
    blocks: int
    effect: DesignEffect | None
    basis: str = ""


def shift_between(first: Series, second: Series, *, blocked: bool = True) -> Shift:
    """Compare two series; `blocked=False` for series that were not measured at the same time.

    Raises NotComparable when there are too few samples, or when they were not interleaved.
    """
    sizes = (first.values.size, second.values.size)
    small = [min(size, SMALL) for size in sizes]
    if 2 / math.comb(sum(small), small[0]) > 1 - CONFIDENCE:  # even the clearest outcome would not be significant
        raise NotComparable(f"too few samples (n = {sizes[0]} and {sizes[1]}, needs 4 of each)")
    edges = _edges(first, second) if blocked else np.empty(0)
    first_block, second_block = np.searchsorted(edges, first.at_s), np.searchsorted(edges, second.at_s)
    blocks = _paired(first, second, first_block, second_block, count=edges.size + 1)
    used = sum(x.size for x, _ in blocks), sum(y.size for _, y in blocks)
    if used[0] < sizes[0] / 2 or used[1] < sizes[1] / 2:
        raise NotComparable("they were not measured at the same time: interleave the targets in one run")
    pairs = sum(x.size * y.size for x, y in blocks)
    middle = (_kth(blocks, (pairs + 1) // 2) + _kth(blocks, pairs // 2 + 1)) / 2
    level = replace(second, values=second.values - middle)  # as if the two did not differ
    effect = design_effect(first, level, (first_block, second_block))
    margin, p = _margin(blocks, effect)
    lo, hi = _kth(blocks, margin), _kth(blocks, pairs + 1 - margin)
    return Shift(*sizes, middle, lo, hi, p, len(blocks), effect)


def _edges(first: Series, second: Series) -> Floats:
    """Times that cut both series together into blocks of equal size."""
    at_s = np.sort(np.concatenate([first.at_s, second.at_s]))
    count = min(max(at_s.size // BLOCK_SAMPLES, 1), BLOCKS_MAX)
    edges: Floats = at_s[np.arange(1, count) * at_s.size // count]
    return edges


def _paired(
    first: Series, second: Series, first_block: NDArray[np.intp], second_block: NDArray[np.intp], *, count: int
) -> Blocks:
    """The values of each block, sorted; blocks that hold one target only are left out."""
    found = []
    for block in range(count):
        x, y = first.values[first_block == block], second.values[second_block == block]
        if x.size and y.size:
            found.append((np.sort(x), np.sort(y)))
    return found


def _slower(blocks: Blocks) -> float:
    """The pairs in which the second is slower; ties count a half."""
    below = sum(np.searchsorted(x, y, "left").sum() + np.searchsorted(x, y, "right").sum() for x, y in blocks)
    return float(below) / 2


def _variance(blocks: Blocks) -> float:
    """Variance of `_slower` when the two do not differ, corrected for ties."""
    total = 0.0
    for x, y in blocks:
        m, n = x.size, y.size
        counts = np.unique(np.concatenate([x, y]), return_counts=True)[1].astype(np.float64)
        ties = float((counts**3 - counts).sum()) / ((m + n) * (m + n - 1))
        total += m * n * (m + n + 1 - ties) / 12
    return total


def _margin(blocks: Blocks, effect: DesignEffect | None) -> tuple[int, float]:
    """The rank, from either end of all pairwise differences, at which the interval ends; and the p value."""
    pairs = sum(x.size * y.size for x, y in blocks)
    slower = _slower(blocks)
    tail = (1 - CONFIDENCE) / 2
    if effect is None and len(blocks) == 1 and max(map(len, blocks[0])) <= SMALL and slower == int(slower):
        below = np.cumsum(null_distribution(*map(len, blocks[0])))
        p = 2 * below[int(min(slower, pairs - slower))]
        return int(np.searchsorted(below, tail, "right")), min(float(p), 1.0)
    deviation = math.sqrt(_variance(blocks) * (1 if effect is None else effect.ratio))
    law = stats.norm() if effect is None else stats.t(effect.freedom)
    away = max(abs(slower - pairs / 2) - 0.5, 0.0)
    p = 2 * float(law.sf(away / deviation)) if deviation else 1.0
    rank = math.floor(pairs / 2 - float(law.ppf(1 - tail)) * deviation)
    return min(max(rank, 1), (pairs + 1) // 2), p


def _kth(blocks: Blocks, k: int) -> float:
    """The k-th smallest (from 1) of all differences second minus first within blocks, without making them all.

    A root search on their number brings it near; differences closer together than _TOLERANCE of the range are one.
    """

    def excess(difference: float) -> float:
        return (
            sum(x.size * y.size - int(np.searchsorted(x, y - difference, "left").sum()) for x, y in blocks) - k + 0.5
        )

    low = min(y[0] - x[-1] for x, y in blocks)
    high = max(y[-1] - x[0] for x, y in blocks)
    margin = max(abs(low), abs(high), 1.0) * _TOLERANCE
    near = float(optimize.brentq(excess, low - margin, high + margin, xtol=margin)) - 2 * margin
    return min(_next_above(x, y, near) for x, y in blocks)


def _next_above(x: Floats, y: Floats, bound: float) -> float:
    """The smallest difference of the pairs of a block that is above `bound`; infinite when there is none."""
    largest = np.searchsorted(x, y - bound, "left") - 1
    exists = largest >= 0
    return float(np.min(y[exists] - x[largest[exists]])) if exists.any() else np.inf
