"""Holm's correction: many comparisons, one risk of a false alarm."""

from __future__ import annotations

from collections.abc import Sequence


def holm(ps: Sequence[float]) -> list[float]:
    """Adjusted p values in the order given: the chance of any false alarm among those below 5 % stays below 5 %.

    Source: S. Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    adjusted = [0.0] * len(ps)
    worst = 0.0
    for rank, index in enumerate(sorted(range(len(ps)), key=lambda each: ps[each])):
        worst = max(worst, min(ps[index] * (len(ps) - rank), 1.0))
        adjusted[index] = worst
    return adjusted
