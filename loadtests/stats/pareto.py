"""Pareto frontiers: which choices no other choice beats on every count. Pure; smaller is better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate

# On the frontier by its values; off it, but by less than the intervals can tell; beaten beyond doubt.
ParetoStatus = Literal["frontier", "near", "dominated"]


def dominates(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether `first` is nowhere worse than `second` and somewhere better."""
    return all(a <= b for a, b in zip(first, second, strict=True)) and tuple(first) != tuple(second)


def frontier(points: Sequence[Sequence[float]]) -> list[int]:
    """The places of the points that no other point dominates, in order; of equal points all."""
    return [index for index, point in enumerate(points) if not any(dominates(other, point) for other in points)]


def intervals_below(first: Estimate, second: Estimate) -> bool:
    """Whether the 95 % intervals lie apart, `first` below; False where one of them has no interval.

    Stricter than a test at 5 %: two independent intervals of the same width lie apart by chance in about 0.6 %.
    """
    return first.hi is not None and second.lo is not None and first.hi < second.lo


def pareto_statuses(points: Sequence[Sequence[Estimate]]) -> list[ParetoStatus | None]:
    """Where each point stands; None for one that lacks a value, which takes no part."""
    known = [index for index, point in enumerate(points) if all(each.value is not None for each in point)]
    best = {known[found] for found in frontier([_values(points[index]) for index in known])}
    return [
        _standing(points, index, known=known, best=best) if index in known else None for index in range(len(points))
    ]


def _standing(
    points: Sequence[Sequence[Estimate]], index: int, *, known: Sequence[int], best: set[int]
) -> ParetoStatus:
    if index in best:
        return "frontier"
    beaten = any(
        all(intervals_below(theirs, ours) for theirs, ours in zip(points[other], points[index], strict=True))
        for other in known
    )
    return "dominated" if beaten else "near"


def _values(point: Sequence[Estimate]) -> list[float]:
    return [float(each.value) for each in point if each.value is not None]
