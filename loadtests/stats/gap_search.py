"""Choose the gaps between requests that tell how long idle instances live. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.stats.survival import GapObservation

KNOWN_WITHIN = 0.05  # of the shortest cold gap: then a single number is known well enough
CONFIRMED_AT = (1.08, 1.2, 1.4, 1.7, 2.2)  # times below and above a single number that have to agree with it
_GOLDEN = 0.6180339887498949  # multiples of it, less whole numbers, fill an interval evenly
_WIDER = 1.5


@dataclass(frozen=True, slots=True)
class GapSearch:
    """Gaps between `lowest_s` and `highest_s`, at most `tries` of them."""

    lowest_s: float
    highest_s: float
    tries: int = 20

    def next_gap_s(self, seen: Sequence[GapObservation]) -> float | None:
        """The gap to try next; None when enough is known.

        First the gap doubles until an instance has ended. Then the interval between the longest warm and the shortest
        cold gap is halved, until it is narrow; then gaps further off have to agree. Where they do not agree, the life
        is no single number: then gaps fill the times at which it was seen both ways.
        """
        if len(seen) >= self.tries:
            return None
        cold = [each.gap_s for each in seen if each.survived < each.of]
        warm = [each.gap_s for each in seen if each.survived]
        if not cold:
            last_s = max(warm, default=None)
            return None if last_s == self.highest_s else min(self._doubled(last_s), self.highest_s)
        low_s, high_s = max(warm, default=self.lowest_s / 2), min(cold)
        if low_s >= high_s:
            return self._fill(high_s, low_s, len(seen))
        if high_s - low_s > KNOWN_WITHIN * high_s:
            return (low_s + high_s) / 2
        return self._confirm(low_s, high_s, seen)

    def _doubled(self, last_s: float | None) -> float:
        return self.lowest_s if last_s is None else 2 * last_s

    def _fill(self, from_s: float, to_s: float, count: int) -> float:
        """Fill the times at which instances were seen both to end and to live, and some more on both sides."""
        begin_s, end_s = max(from_s / _WIDER, self.lowest_s / 2), min(to_s * _WIDER, self.highest_s)
        return begin_s + (end_s - begin_s) * (count * _GOLDEN % 1.0)

    def _confirm(self, low_s: float, high_s: float, seen: Sequence[GapObservation]) -> float | None:
        """Gaps further and further from the number found, on both sides in turn; None when all of them agreed."""
        for factor in CONFIRMED_AT:
            for gap_s in (low_s / factor, high_s * factor):
                near = any(abs(each.gap_s / gap_s - 1) < KNOWN_WITHIN / 2 for each in seen)
                if not near and self.lowest_s <= gap_s <= self.highest_s:
                    return gap_s
        return None
