"""Measure a TFLite file on labelled photographs: accuracy with its interval, and the confusion of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.proportion import Proportion, wilson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def confusion(truth: ArrayLike, found: ArrayLike, classes: int) -> NDArray[np.int64]:
    """Return counts [classes, classes]: the row is the true class, the column the one found."""
    counts = np.zeros((classes, classes), np.int64)
    np.add.at(counts, (np.asarray(truth), np.asarray(found)), 1)
    return counts


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class of a confusion matrix; `precision` is None where nothing was called that."""

    label: str
    photos: int
    recall: Proportion
    precision: float | None


def by_class(counts: NDArray[np.int64], labels: Sequence[str]) -> list[ClassResult]:
    """Return recall and precision of each class that has photos."""
    results = []
    for index, label in enumerate(labels):
        photos, hits, called = int(counts[index].sum()), int(counts[index, index]), int(counts[:, index].sum())
        if photos:
            results.append(ClassResult(label, photos, wilson(hits, photos), hits / called if called else None))
    return results


def scores(model: Path, tensors: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return the outputs [N, classes] of the TFLite file for `tensors` [N, height, width, 3], one at a time.

    The tensors must have the dtype of the model's input.
    """
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=1)
    interpreter.allocate_tensors()
    entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if tensors.dtype != entry["dtype"]:
        raise ValueError(f"{model.name} takes {np.dtype(entry['dtype'])}, got {tensors.dtype}: scale or cast first")
    rows = []
    for tensor in tensors:
        interpreter.set_tensor(entry["index"], tensor[None])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(exit_["index"])[0])
    return np.asarray(rows, np.float32)
