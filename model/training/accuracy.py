"""How well a TFLite file does on labelled photographs: accuracy with its interval, and the confusion of classes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share with its Wilson 95 % interval, all in 0..1."""

    value: float
    lo: float
    hi: float
    n: int


def wilson(hits: int, n: int, *, z: float = Z_95) -> Proportion:
    """Return `hits / n` with its score interval. Raises ValueError for an impossible count.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no proportion: expected 0 <= hits <= n and n > 0")
    p = hits / n
    shrink = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink
    return Proportion(p, max(0.0, centre - half), min(1.0, centre + half), n)


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
