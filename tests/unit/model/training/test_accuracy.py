"""The arithmetic of an evaluation, against published and hand-counted answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from loadtests.stats.proportion import wilson
from model.training.accuracy import by_class, confusion, scores
from tests.scripts.known_answer import model as tiny_model


# Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998),
# table I, method 3.
@pytest.mark.parametrize(
    ("hits", "n", "lo", "hi"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_wilson_interval_agrees_with_the_published_table(hits: int, n: int, lo: float, hi: float) -> None:
    found = wilson(hits, n)
    assert found.value == hits / n
    assert [found.lo, found.hi] == pytest.approx([lo, hi], abs=5e-5)


def test_the_interval_of_all_right_ends_at_one() -> None:
    assert wilson(29, 29).hi == 1.0
    assert wilson(29, 29).lo == pytest.approx(1 - wilson(0, 29).hi)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (-1, 5), (6, 5)])
def test_an_impossible_count_is_refused(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no proportion"):
        wilson(hits, n)


def test_the_confusion_counts_true_rows_and_found_columns() -> None:
    counts = confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0], 3)
    assert counts.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 2]]


def test_recall_and_precision_are_read_off_the_confusion() -> None:
    rows = by_class(confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0], 3), ["a", "b", "c"])
    assert [(row.label, row.photos, row.recall.value, row.precision) for row in rows] == [
        ("a", 2, 0.5, 0.5),
        ("b", 1, 1.0, 0.5),
        ("c", 3, pytest.approx(2 / 3), 1.0),
    ]


def test_a_class_that_is_never_found_has_no_precision() -> None:
    assert by_class(confusion([0, 1], [1, 1], 2), ["a", "b"])[0].precision is None


def test_scores_are_the_outputs_of_the_file_one_image_at_a_time(tmp_path: Path) -> None:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny_model())
    tensors = np.array([[[[3, 4, 5, 6]]], [[[13, 3, 3, 3]]]], np.uint8)
    assert scores(file, tensors).reshape(2, 4).tolist() == [[0.0, 0.5, 1.0, 1.5], [5.0, 0.0, 0.0, 0.0]]


def test_tensors_of_another_dtype_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny_model())
    with pytest.raises(ValueError, match="takes uint8, got float32"):
        scores(file, np.zeros((1, 1, 1, 4), np.float32))
