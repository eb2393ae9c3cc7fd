"""The measured part of a model's card."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from model.training.card import END, START, figures, main, mistakes, update

MANIFEST: dict[str, Any] = {"variants": [{"name": "int8", "file": "pets-int8.tflite", "bytes": 2500000}]}
EVALUATION: dict[str, Any] = {
    "labels": ["cat", "dog"],
    "int8": {
        "accuracy": {"value": 0.75, "lo": 0.5, "hi": 0.9, "n": 12},
        "by_class": [
            {"label": "cat", "photos": 8, "recall": {"value": 0.625}, "precision": 1.0},
            {"label": "dog", "photos": 4, "recall": {"value": 1.0}, "precision": None},
        ],
        "confusion": [[5, 3], [0, 4]],
    },
}


def test_the_figures_are_tables_of_variants_and_classes() -> None:
    text = figures(MANIFEST, EVALUATION)
    assert "| pets-int8.tflite | 2,500,000 | 0.750 | 0.500 to 0.900 |" in text
    assert "| cat | 8 | 0.62 | 1.00 |\n| dog | 4 | 1.00 | - |" in text
    assert text.endswith("Most frequent mistakes: cat taken for dog (3).\n")


def test_mistakes_come_with_the_most_frequent_first_and_single_ones_left_out() -> None:
    assert mistakes([[9, 2, 1], [5, 9, 0], [0, 0, 9]], ["a", "b", "c"]) == "b taken for a (5), a taken for b (2)"
    assert mistakes([[9, 1], [0, 9]], ["a", "b"]) == "none twice"


def test_only_what_is_between_the_markers_is_replaced() -> None:
    card = f"# Pets\n{START}old\n{END}\nthe rest\n"
    assert update(card, "new\n") == f"# Pets\n{START}new\n{END}\nthe rest\n"


def test_a_card_without_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="has no place for figures"):
        update("# Pets\n", "new\n")


def test_the_command_rewrites_the_card_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "evaluation.json").write_text(json.dumps(EVALUATION))
    (tmp_path / "README.md").write_text(f"# Pets\n{START}{END}\n")
    assert main([str(tmp_path)]) == 0
    once = (tmp_path / "README.md").read_text()
    assert "pets-int8.tflite" in once
    main([str(tmp_path)])
    assert (tmp_path / "README.md").read_text() == once
