"""Find the monthly volume from which one plan is cheaper than another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import combinations, pairwise

_PER_DECADE = 16  # of the slider's steps
_BETWEEN = 2  # places between two steps at which an order is looked at: it may change and change back
_NEAR = Decimal("1.08")  # two costs that may cross and cross back within a step
_PRECISION = Decimal("1.002")  # a volume is found to 0.2 %


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From `requests` a month on, `cheaper` costs less than `dearer` did until then (or as little)."""

    requests: Decimal
    cheaper: str
    dearer: str


@cache
def volumes(lowest: int = 3, highest: int = 10) -> tuple[Decimal, ...]:
    """Volumes from 10**lowest to 10**highest at even ratios."""
    count = (highest - lowest) * _PER_DECADE
    return tuple(Decimal(10) ** (Decimal(lowest) + Decimal(step) / _PER_DECADE) for step in range(count + 1))


@cache
def _between(low: Decimal, high: Decimal) -> tuple[Decimal, ...]:
    """Places between two steps, at even ratios, and the higher step."""
    ratio = (high / low) ** (Decimal(1) / (_BETWEEN + 1))
    return (*(low * ratio**place for place in range(1, _BETWEEN + 1)), high)


def cheapest_by_volume(costs: Mapping[str, Callable[[Decimal], Decimal]]) -> tuple[BreakEven, ...]:
    """The cheapest at the lowest volume (`dearer` is empty), then each volume from which another one is.

    Where several cost the same, the one that was cheapest stays.
    """
    grid = volumes()
    best = min(costs, key=lambda name: costs[name](grid[0]))
    changes = [BreakEven(grid[0], best, "")]
    for low, high in pairwise(grid):
        challenger = min(costs, key=lambda name: costs[name](high))
        if costs[challenger](high) < costs[best](high):
            changes.append(BreakEven(_crossing(costs[challenger], costs[best], (low, high)), challenger, best))
            best = challenger
    return tuple(changes)


def order_changes(costs: Mapping[str, Callable[[Decimal], Decimal]]) -> tuple[BreakEven, ...]:
    """Every volume at which two of `costs` change places, lowest first."""
    found = [change for pair in combinations(costs, 2) for change in _pair_changes(costs, pair)]
    return tuple(sorted(found, key=lambda change: change.requests))


def _pair_changes(costs: Mapping[str, Callable[[Decimal], Decimal]], pair: tuple[str, str]) -> list[BreakEven]:
    changes: list[BreakEven] = []
    leader = _ahead(costs, pair, volumes()[0], None)
    for low, high in pairwise(volumes()):
        near = all(_near(*(costs[name](volume) for name in pair)) for volume in (low, high))
        spans: list[tuple[Decimal, Decimal, str, str]] = []
        previous = low
        for volume in _between(low, high) if near else (high,):
            ahead = _ahead(costs, pair, volume, leader)
            if ahead is not None and leader is not None and ahead != leader:
                spans.append((previous, volume, ahead, leader))
            leader, previous = ahead, volume
        if len(spans) == 1:  # a single change is sought in the whole step, as the cheapest of all is
            spans = [(low, high, *spans[0][2:])]
        changes += [
            BreakEven(_crossing(costs[ahead], costs[behind], (begin, end)), ahead, behind)
            for begin, end, ahead, behind in spans
        ]
    return changes


def _ahead(
    costs: Mapping[str, Callable[[Decimal], Decimal]], pair: tuple[str, str], volume: Decimal, leader: str | None
) -> str | None:
    """The cheaper one of a pair; the `leader` where both cost the same."""
    first, second = (costs[name](volume) for name in pair)
    return leader if first == second else pair[first > second]


def _near(first: Decimal, second: Decimal) -> bool:
    return max(first, second) <= _NEAR * min(first, second)


def _crossing(
    cheaper: Callable[[Decimal], Decimal], dearer: Callable[[Decimal], Decimal], span: tuple[Decimal, Decimal]
) -> Decimal:
    """The volume in `span` from which `cheaper` costs less, found by halving the ratio."""
    low, high = span
    while high / low > _PRECISION:
        middle = (low * high).sqrt()
        if cheaper(middle) < dearer(middle):
            high = middle
        else:
            low = middle
    return high
