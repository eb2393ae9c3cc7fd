"""How much two sets of answers differ."""

from __future__ import annotations

import numpy as np
import pytest

from model.convert.agreement import gives_probabilities, score_agreement

A = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]], np.float32)


def test_the_same_answers_agree_fully() -> None:
    found = score_agreement(A, A)
    assert found.agreement.value == 1.0
    assert found.largest_difference == 0.0
    assert found.document() == {"photographs": 2, "top1_agreement": 1.0, "largest_score_difference": 0.0}


def test_another_best_class_counts_and_the_largest_difference_of_one_score_is_told() -> None:
    changed = A.copy()
    changed[1] = [0.5, 0.4, 0.1]
    found = score_agreement(A, changed)
    assert found.agreement.value == 0.5
    assert found.largest_difference == pytest.approx(0.4)


def test_scores_that_are_not_numbers_agree_with_nothing() -> None:
    broken = A.copy()
    broken[0, 0] = np.nan
    found = score_agreement(A, broken)
    assert found.agreement.value == 0.5
    assert found.largest_difference == float("inf")


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="expected twice"):
        score_agreement(A, A[:, :2])
    with pytest.raises(ValueError, match="is no proportion"):
        score_agreement(A[:0], A[:0])


def test_probabilities_are_told_from_logits() -> None:
    assert gives_probabilities(A)
    assert not gives_probabilities(A * 2)
    assert not gives_probabilities(np.array([[1.5, -0.5]], np.float32))
