"""The design effect of dependent requests on the variance of the Mann-Whitney statistic.

A request's placement is the share of the other side, in its block of time, that it is above. The statistic is a
mean of placements; the variance of that mean tells how sure it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.exact import SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.stats.series import Series

    Floats = NDArray[np.float64]
    Places = tuple[NDArray[np.intp], NDArray[np.intp]]

_SMALLEST = 0.01


@dataclass(frozen=True, slots=True)
class DesignEffect:
    """`ratio`: the variance over that of independent requests, known with so many degrees of `freedom`.

    Requests for the same work resemble each other on both sides, which makes it smaller.
    """

    ratio: float
    freedom: float


def design_effect(first: Series, second: Series, blocks: Places) -> DesignEffect | None:
    """The effect of the work, None where it is not known; for two sides on one level.

    `blocks` holds the number of the block of each request of either side.
    """
    places = _placements(first, second, blocks), _placements(second, first, (blocks[1], blocks[0]))
    alone = [float(place.var()) / place.size for place in places]
    if not sum(alone):
        return None
    return _of_work(first, second, places, sum(alone))


def _of_work(first: Series, second: Series, places: tuple[Floats, Floats], alone: float) -> DesignEffect | None:
    """By the covariance of pairs: the k-th request for one work on either side; None with few pairs."""
    mine, theirs = _pairs(first, second)
    if mine.size <= SMALL:
        return None
    centred = [place - place.mean() for place in places]
    shared = float((centred[0][mine] * centred[1][theirs]).sum()) / (first.values.size * second.values.size)
    return DesignEffect(max(1 - 2 * shared / alone, _SMALLEST), mine.size - 1)


def _pairs(first: Series, second: Series) -> Places:
    """Rows of both sides that belong together."""
    sides = (first, second)
    if any((side.work < 0).any() or not side.work.size for side in sides):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    stride = max(side.work.size for side in sides)
    keys = [_keys(side, stride) for side in sides]
    _, mine, theirs = np.intersect1d(keys[0], keys[1], assume_unique=True, return_indices=True)
    return mine, theirs


def _keys(side: Series, stride: int) -> NDArray[np.int64]:
    """For each request a number made of its work and how often that work was asked for before, below `stride`."""
    order = np.lexsort((side.at_s, side.work))
    ordered = side.work[order]
    begin = np.searchsorted(ordered, ordered, "left")
    keys = np.empty(side.work.size, dtype=np.int64)
    keys[order] = ordered * stride + np.arange(ordered.size) - begin
    return keys


def _placements(series: Series, other: Series, blocks: Places) -> Floats:
    places = np.full(series.values.size, 0.5)
    for each in np.unique(blocks[0]):
        mine, theirs = blocks[0] == each, np.sort(other.values[blocks[1] == each])
        if theirs.size:
            values = series.values[mine]
            ranks = np.searchsorted(theirs, values, "left") + np.searchsorted(theirs, values, "right")
            places[mine] = ranks / (2 * theirs.size)
    return places
