"""Read folders of photographs, one folder for each class, as arrays."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageOps

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp"})


class DatasetError(Exception):
    """The folder does not hold what training needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Photos:
    """Labelled photographs: `images` uint8 [N, size, size, 3] RGB, `classes` int64 [N], indices into the labels."""

    images: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)


def labels_of(split: Path) -> tuple[str, ...]:
    """The class folders of `split`, in name order. Raises DatasetError when there are fewer than two."""
    names = tuple(sorted(folder.name for folder in split.iterdir() if folder.is_dir())) if split.is_dir() else ()
    if len(names) < 2:
        raise DatasetError(f"{split} has {len(names)} class folders, expected two or more, each with photographs")
    return names


def files_of(split: Path, labels: Sequence[str]) -> list[tuple[Path, int]]:
    """Every photograph of `split` with its class, in order of label and file name.

    Raises DatasetError for a label without photographs.
    """
    found: list[tuple[Path, int]] = []
    for index, label in enumerate(labels):
        files = sorted(file for file in (split / label).glob("*") if file.suffix.lower() in SUFFIXES)
        if not files:
            raise DatasetError(f"{split / label} holds no photographs, expected {', '.join(sorted(SUFFIXES))} files")
        found += [(file, index) for file in files]
    return found


def split_folder(data: Path, work: Path, *, share: float, seed: int) -> Path:
    """Return a folder with `train` and `validation`: `data` itself where it has them, else links below `work`.

    Of each class the same `share` is taken for validation, at random, one photograph at least; the same seed takes
    the same ones. Raises DatasetError for a class of fewer than two.
    """
    if (data / "train").is_dir():
        if not (data / "validation").is_dir():
            raise DatasetError(f"{data} has a folder train, but no validation beside it: add one, or remove train")
        return data
    labels = labels_of(data)
    files = files_of(data, labels)
    folder = work / "split"
    shutil.rmtree(folder, ignore_errors=True)
    for index, label in enumerate(labels):
        own = [file for file, place in files if place == index]
        count = max(1, round(share * len(own)))
        if len(own) < 2 or count >= len(own):
            raise DatasetError(
                f"{data / label} holds {len(own)} photographs, expected more: {share:.0%} are set aside"
            )
        aside = set(np.random.default_rng((seed, index)).permutation(len(own))[:count].tolist())
        for place, file in enumerate(own):
            _link(file, folder / ("validation" if place in aside else "train") / label / file.name)
    return folder


def _link(file: Path, name: Path) -> None:
    name.parent.mkdir(parents=True, exist_ok=True)
    try:
        name.symlink_to(file.resolve())
    except OSError:  # Windows, without the right to make links
        shutil.copyfile(file, name)


def read_photo(file: Path, size: int, *, draft: float = 0.0) -> NDArray[np.uint8]:
    """Return the whole photograph stretched to `size`, uint8 [size, size, 3], RGB, bilinear, EXIF applied.

    `draft` lets the JPEG decoder scale down while decoding, to that many times the size at least; 0 does not.
    """
    with Image.open(file) as opened:
        if draft:
            opened.draft("RGB", (math.ceil(draft * size), math.ceil(draft * size)))
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    return np.asarray(upright.resize((size, size), Image.Resampling.BILINEAR))


def read_split(
    split: Path,
    labels: Sequence[str],
    *,
    size: int,
    draft: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> Photos:
    """Read all photographs of `split` at `size`; `progress` is told how many of how many are read."""
    files = files_of(split, labels)
    images = np.empty((len(files), size, size, 3), np.uint8)
    for number, (file, _) in enumerate(files):
        images[number] = read_photo(file, size, draft=draft)
        if progress:
            progress(number + 1, len(files))
    return Photos(images, np.array([index for _, index in files], np.int64))
