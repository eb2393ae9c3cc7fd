"""The survival curve of idle instances from gaps between requests: each tells only whether one still lived. Pure.

What is seen of a life is on which side of a gap it ended. The curve that fits such observations best is the falling
one nearest to the shares seen (isotonic regression: Ayer and others 1955), and its band is a bootstrap of the gaps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RESAMPLES = 500
_SEED = 20261128
_TAIL = 0.025


@dataclass(frozen=True, slots=True)
class GapObservation:
    """After `gap_s` without a request, `survived` of `of` instances still lived."""

    gap_s: float
    survived: int
    of: int = 1


@dataclass(frozen=True, slots=True)
class SurvivalPoint:
    """The share that still lives after `idle_s`, with its 95 % band."""

    idle_s: float
    share: float
    lo: float
    hi: float


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """Points in order of time, one for each gap at which the share falls; between them it falls evenly.

    `warm_s` is the longest gap after which one lived, `cold_s` the shortest after which one did not; None where there
    was none. `n` is the number of instances that were looked at.
    """

    points: tuple[SurvivalPoint, ...]
    warm_s: float | None
    cold_s: float | None
    n: int

    def share(self, idle_s: float) -> float:
        """The share that still lives after `idle_s`."""
        times = [0.0, *(point.idle_s for point in self.points)]
        return float(np.interp(idle_s, times, [1.0, *(point.share for point in self.points)]))

    @property
    def whole(self) -> bool:
        """Whether it was seen to its end: after the longest gap none lived."""
        return bool(self.points) and self.points[-1].share == 0.0

    def idle_life(self) -> list[list[float]]:
        """As `[platform.idle_life]` of a cloud.toml takes it."""
        return [[round(point.idle_s, 3), round(point.share, 4)] for point in self.points]


def survival_curve(observations: Sequence[GapObservation]) -> SurvivalCurve:
    """Fit the curve to at least one observation."""
    ordered = sorted(observations, key=lambda each: each.gap_s)
    gaps = np.array([each.gap_s for each in ordered])
    lived = np.array([each.survived for each in ordered], dtype=np.float64)
    of = np.array([each.of for each in ordered], dtype=np.float64)
    fitted = _falling(lived / of, of)
    kept = _corners(fitted)
    band = _band(gaps, lived, of, gaps[kept])
    points = tuple(
        SurvivalPoint(float(gaps[place]), float(fitted[place]), *band[number]) for number, place in enumerate(kept)
    )
    warm = [each.gap_s for each in ordered if each.survived]
    cold = [each.gap_s for each in ordered if each.survived < each.of]
    return SurvivalCurve(points, max(warm, default=None), min(cold, default=None), int(of.sum()))


def _falling(shares: Floats, weights: Floats) -> Floats:
    """The falling sequence nearest to `shares` (pool adjacent violators)."""
    blocks: list[list[float]] = []
    for share, weight in zip(shares, weights, strict=True):
        blocks.append([float(share), float(weight), 1.0])
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            last, before = blocks.pop(), blocks.pop()
            total = last[1] + before[1]
            blocks.append([(last[0] * last[1] + before[0] * before[1]) / total, total, last[2] + before[2]])
    return np.concatenate([np.full(int(count), share) for share, _, count in blocks])


def _corners(fitted: Floats) -> list[int]:
    """Where a level begins or ends; of the first level its end, of the last its beginning."""
    last = fitted.size - 1
    begins = [place for place in range(1, last + 1) if fitted[place] != fitted[place - 1]]
    ends = [place - 1 for place in begins]
    return sorted({*begins, *ends}) or [last]


def _band(
    gaps: Floats,
    lived: Floats,
    of: Floats,
    at_s: Floats,
) -> list[tuple[float, float]]:
    """The 95 % band at some times: observations are drawn again, the same every time."""
    random = np.random.default_rng(_SEED)
    found = np.empty((RESAMPLES, at_s.size))
    for row in range(RESAMPLES):
        drawn = np.sort(random.integers(0, gaps.size, gaps.size))
        fitted = _falling(lived[drawn] / of[drawn], of[drawn])
        found[row] = np.interp(at_s, np.concatenate([[0.0], gaps[drawn]]), np.concatenate([[1.0], fitted]))
    lo, hi = np.quantile(found, (_TAIL, 1 - _TAIL), axis=0)
    return [(float(low), float(high)) for low, high in zip(lo, hi, strict=True)]
