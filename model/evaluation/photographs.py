"""Read a folder of class folders as photographs with their labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.training.dataset import DatasetError, files_of, labels_of

_SPLITS = ("validation", "val", "test")


@dataclass(frozen=True, slots=True)
class Photographs:
    """Files with the label of each, and the folder that they came from."""

    folder: Path
    files: tuple[Path, ...]
    labels: tuple[str, ...]


def find(data: Path, known: Sequence[str], *, limit: int | None, seed: int) -> Photographs:
    """The photographs of `data/validation`, where there is one, else of `data` itself; at most `limit`, at random.

    Raises DatasetError when a class folder is no label of the model.
    """
    folder = next((data / name for name in _SPLITS if (data / name).is_dir()), data)
    classes = labels_of(folder)
    strange = [name for name in classes if name not in known]
    if strange:
        raise DatasetError(
            f"{folder} has the class folders {', '.join(strange)}, which are no labels of the model: "
            f"name the folders as its labels, such as {', '.join(list(known)[:5])}"
        )
    found = [(file, classes[index]) for file, index in files_of(folder, classes)]
    if limit is not None and limit < len(found):
        chosen = sorted(np.random.default_rng(seed).permutation(len(found))[:limit].tolist())
        found = [found[place] for place in chosen]
    return Photographs(folder, tuple(file for file, _ in found), tuple(label for _, label in found))
