"""How much slower one target is than another, with instances as units.

An instance is slow or fast as a whole, and so is a minute: requests tell little of the next instance. Instances of
the two targets that served at the same time form a stratum. With enough strata, the difference within each is one
observation, and their symmetry is tested (Wilcoxon's signed ranks, exact): what a stratum's time does to both sides
cancels. With long-lived instances there is one stratum; then the instances' medians are compared (Mann and Whitney).
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.clusters import FEW, count_instances
from loadtests.stats.series import Series
from loadtests.stats.shift import CONFIDENCE, NotComparable, Shift, shift_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]

STRETCHES = 20  # of time, where instances are not known
HALF = 0.5  # of each side's requests must lie in strata of both
_MERGED = 400  # strata at most; neighbours are merged beyond


def instance_shift(first: Series, second: Series, *, blocked: bool = True) -> Shift:
    """Compare two series by their instances; where instances are not known, by stretches of time.

    `blocked=False` for series that were not measured at the same time. Raises NotComparable when there are too few
    instances on a side, or when the two were to be interleaved and were not.
    """
    if not blocked:
        return _apart(first, second)
    counts = count_instances(first.instance), count_instances(second.instance)
    if None in counts:
        strata = _stretches(first, second)
        what = "stretches of time, their instances unknown"
    else:
        strata = _strata(first, second)
        what = f"{' and '.join(map(str, sorted({int(each or 0) for each in counts})))} instances"
    if min(_shared(strata[0], strata[1]), _shared(strata[1], strata[0])) < HALF:
        raise NotComparable("they were not measured at the same time: interleave the targets in one run")
    differences = _differences(first, second, strata)
    if differences.size >= FEW:
        basis = what if None not in counts else f"{differences.size} {what}"
        return _signed_ranks(differences, first, second, basis)
    if None in counts:
        sizes = f"n = {first.values.size} and {second.values.size}"
        raise NotComparable(f"too few samples ({sizes}, needs {FEW} of each)")
    return _ranks(first, second, strata, (int(counts[0] or 0), int(counts[1] or 0)), basis=what)


def _apart(first: Series, second: Series) -> Shift:
    """Compare the medians of instances, or of stretches of time, of series from different times."""
    sides = (first, second)
    units = [_units(side) for side in sides]
    counts = [int(np.unique(each).size) for each in units]
    known = all(count_instances(side.instance) is not None for side in sides)
    what = "instances" if known else "instances or stretches of time"
    basis = f"{' and '.join(map(str, sorted(set(counts))))} {what}"
    if min(counts) < FEW:
        raise NotComparable(f"{basis} cannot tell the sides from their instances, needs {FEW} of each")
    medians = [
        np.array([float(np.median(side.values[unit == each])) for each in np.unique(unit)])
        for side, unit in zip(sides, units, strict=True)
    ]
    found = shift_between(*map(_bare, medians), blocked=False)
    return replace(found, n_first=first.values.size, n_second=second.values.size, basis=basis)


def unit_shares_above(side: Series, limit: float) -> list[float]:
    """The share of the values above `limit` of each instance, or of each stretch of time."""
    unit = _units(side)
    return [float((side.values[unit == each] > limit).mean()) for each in np.unique(unit)]


def _units(side: Series) -> Labels:
    if count_instances(side.instance) is not None:
        return side.instance
    return units_of_time(side, stretches=STRETCHES)


def _bare(values: Floats) -> Series:
    """Values that are each an instance of its own."""
    unknown = np.full(values.size, -1, dtype=np.int64)
    return Series(values, np.arange(values.size, dtype=np.float64), unknown, unknown)


def _shared(mine: Labels, theirs: Labels) -> float:
    """The share of one side's requests that lie in strata of both."""
    return float(np.isin(mine, theirs).mean()) if mine.size else 0.0


def _stretches(first: Series, second: Series) -> tuple[Labels, Labels]:
    """Cut the time of both into stretches with as many requests each; few requests make few stretches."""
    count = max(min(STRETCHES, first.values.size, second.values.size), 1)
    at_s = np.sort(np.concatenate([first.at_s, second.at_s]))
    edges = at_s[np.arange(1, count) * at_s.size // count]
    return np.searchsorted(edges, first.at_s, "right"), np.searchsorted(edges, second.at_s, "right")


def _strata(first: Series, second: Series) -> tuple[Labels, Labels]:
    """Number the times at which instances of either side overlap: a cut lies where no instance serves on."""
    spans = sorted(span for side in (first, second) for span in _spans(side))
    edges: list[float] = []
    end_s = spans[0][1]
    for begin_s, last_s in spans:
        if begin_s > end_s:
            edges.append(begin_s)
        end_s = max(end_s, last_s)
    thinned = np.array(edges[:: max(len(edges) // _MERGED, 1)])
    return np.searchsorted(thinned, first.at_s, "right"), np.searchsorted(thinned, second.at_s, "right")


def units_of_time(series: Series, *, stretches: int) -> Labels:
    """Number the parts of a series' time: instances that follow each other, or else equal stretches."""
    if count_instances(series.instance) is not None:
        found = _strata(series, series)[0]
        if np.unique(found).size >= FEW:
            return found
    count = max(min(stretches, series.values.size), 1)
    at_s = np.sort(series.at_s)
    return np.searchsorted(at_s[np.arange(1, count) * at_s.size // count], series.at_s, "right")


def _spans(side: Series) -> list[tuple[float, float]]:
    """From when to when each instance served."""
    _, code = np.unique(side.instance, return_inverse=True)
    begin, end = np.full(int(code.max()) + 1, np.inf), np.full(int(code.max()) + 1, -np.inf)
    np.minimum.at(begin, code, side.at_s)
    np.maximum.at(end, code, side.at_s)
    return [(float(low), float(high)) for low, high in zip(begin, end, strict=True)]


def _differences(first: Series, second: Series, strata: tuple[Labels, Labels]) -> Floats:
    """Median of the second less median of the first, for each stratum that holds both."""
    both = np.intersect1d(strata[0], strata[1])
    found = [
        float(np.median(second.values[strata[1] == each]) - np.median(first.values[strata[0] == each]))
        for each in both
    ]
    return np.array(found)


def _signed_ranks(differences: Floats, first: Series, second: Series, basis: str) -> Shift:
    """Hodges and Lehmann's shift of the differences, the exact interval, and the p value of the same law."""
    count = differences.size
    rows, columns = np.triu_indices(count)
    averages = np.sort((differences[rows] + differences[columns]) / 2)
    total = averages.size
    cumulated = np.cumsum(_signed_rank_law(count))
    above = float((averages > 0).sum() + (averages == 0).sum() / 2)
    p = min(2 * float(cumulated[math.ceil(min(above, total - above))]), 1.0)
    margin = max(int(np.searchsorted(cumulated, (1 - CONFIDENCE) / 2, "right")), 1)
    lo, hi = float(averages[margin - 1]), float(averages[total - margin])
    value = float(np.median(averages))
    return Shift(first.values.size, second.values.size, value, lo, hi, p, count, None, basis)


@cache
def _signed_rank_law(count: int) -> Floats:
    """P(T = t) of the sum of positive ranks of `count` symmetric differences, t from 0 (Wilcoxon 1945)."""
    law = np.array([1.0])
    for rank in range(1, count + 1):
        longer = np.zeros(law.size + rank)
        longer[: law.size] += law / 2
        longer[rank:] += law / 2
        law = longer
    return law


def _ranks(
    first: Series, second: Series, strata: tuple[Labels, Labels], counts: tuple[int, int], *, basis: str
) -> Shift:
    """Compare the medians of instances, each less the centre of its stratum. Raises NotComparable with too few."""
    if min(counts) < FEW:
        seen = f"{counts[0]} and {counts[1]} instances"
        difference = float(np.median(second.values) - np.median(first.values))
        raise NotComparable(
            f"{seen} cannot tell the targets from their instances, needs {FEW} of each "
            f"(between these: {difference:.3g} ms)"
        )
    centres = {
        each: (np.median(first.values[strata[0] == each]) + np.median(second.values[strata[1] == each])) / 2
        for each in np.intersect1d(strata[0], strata[1])
    }
    sides = [_medians(side, labels, centres) for side, labels in zip((first, second), strata, strict=True)]
    found = shift_between(*sides, blocked=False)
    return replace(found, n_first=first.values.size, n_second=second.values.size, basis=basis)


def _medians(side: Series, strata: Labels, centres: dict[int, float]) -> Series:
    """One value for each instance that served in a stratum of both."""
    values = []
    for each in np.unique(side.instance):
        mine = side.instance == each
        if (centre := centres.get(int(strata[mine][0]))) is not None:
            values.append(float(np.median(side.values[mine])) - centre)
    return _bare(np.array(values))
