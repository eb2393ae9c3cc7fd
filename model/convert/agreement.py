"""Measure how much a converted model's scores differ from the original's. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.proportion import Proportion, wilson

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ScoreAgreement:
    """Share of photographs with the same best class, and the largest difference of one score."""

    agreement: Proportion
    largest_difference: float

    def document(self) -> dict[str, object]:
        return {
            "photographs": self.agreement.n,
            "top1_agreement": round(self.agreement.value, 4),
            "largest_score_difference": float(f"{self.largest_difference:.3g}"),
        }


def score_agreement(original: NDArray[np.float32], converted: NDArray[np.float32]) -> ScoreAgreement:
    """Compare scores [N, classes] of the same photographs. Raises ValueError where shapes differ or N is 0.

    Scores that are not finite agree with nothing and differ infinitely.
    """
    if original.shape != converted.shape or original.ndim != 2:
        raise ValueError(f"scores of shape {original.shape} and {converted.shape}: expected twice [N, classes]")
    sound = np.isfinite(original).all(axis=1) & np.isfinite(converted).all(axis=1)
    same = (original.argmax(axis=1) == converted.argmax(axis=1)) & sound
    difference = np.abs(original.astype(np.float64) - converted.astype(np.float64))
    agreement = wilson(int(same.sum()), len(same))
    largest = float(difference.max()) if sound.all() else float("inf")
    return ScoreAgreement(agreement, largest)


def gives_probabilities(scores: NDArray[np.float32]) -> bool:
    """Whether every row [N, classes] is a distribution: nothing below 0, and a sum of 1 within 1 %."""
    return bool((scores >= -1e-6).all() and (np.abs(scores.sum(axis=1) - 1) < 0.01).all())
