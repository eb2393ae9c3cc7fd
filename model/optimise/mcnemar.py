"""Compare two models photograph by photograph: what a step gained and lost (McNemar). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scipy import stats

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 0.05


@dataclass(frozen=True, slots=True)
class AccuracyChange:
    """`gained` photographs became right and `lost` wrong, of `n`; `p` is McNemar's exact two-sided one."""

    gained: int
    lost: int
    n: int
    p: float

    @property
    def words(self) -> str:
        """Whether the accuracy changed, as far as these photographs can tell."""
        if self.p >= SHOWN:
            return "alike"
        return "better" if self.gained > self.lost else "worse"


def change(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> AccuracyChange:
    """Compare which photographs are right. Raises ValueError when there are not as many.

    Of the photographs that changed sides, half would have gone either way by chance.
    Source: McNemar, "Note on the sampling error of the difference between correlated proportions", 1947.
    """
    if before.shape != after.shape:
        raise ValueError(f"{before.size} answers before and {after.size} after: expected the same photographs")
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    p = float(stats.binomtest(gained, gained + lost, 0.5).pvalue) if gained + lost else 1.0
    return AccuracyChange(gained, lost, int(before.size), p)
