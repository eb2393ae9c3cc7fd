"""Turn photographs into a model's input tensors with the core's own code, as a manifest's `input` says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core import image, preprocess
from core.errors import TripointError
from core.manifest import Input
from model.convert.errors import ConvertError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    OnProgress = Callable[[str, int, int], None]

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
MAX_PIXELS = 50_000_000


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Size in px, the core's word for the normalisation, Pillow's resampling, EXIF orientation applied or not.

    `draft` is passed on to the manifest; here every photograph is decoded in full.
    """

    height: int
    width: int
    preprocessing: str
    resampling: str = "bilinear"
    orient: bool = True
    draft: float = 0.0

    def document(self) -> dict[str, object]:
        """The manifest's `input`."""
        exif = "apply" if self.orient else "ignore"
        size = {"height": self.height, "width": self.width, "resampling": self.resampling, "exif": exif}
        return {**size, "draft": self.draft} if self.draft else size

    def pixels(self, file: Path) -> NDArray[np.uint8]:
        """The photograph as the function would resize it, uint8 [height, width, 3]. Raises ConvertError."""
        try:
            rgb = image.decode(file.read_bytes(), max_pixels=MAX_PIXELS, orient=self.orient)
        except TripointError as error:
            raise ConvertError(f"{file}: {error}") from error
        return np.asarray(preprocess.resize(rgb, Input(self.height, self.width, self.resampling, self.orient, 0.0)))

    def normalised(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Pixels [..., height, width, 3] as the original model takes them, float32."""
        return normalised(pixels, self.preprocessing)


def normalised(pixels: NDArray[np.uint8], mode: str) -> NDArray[np.float32]:
    """`core.preprocess.normalise` of one photograph [height, width, 3], or of each of several."""
    if pixels.ndim > 3:
        return np.stack([normalised(each, mode) for each in pixels])
    return preprocess.normalise(Image.fromarray(pixels), mode)


def photographs(folder: Path) -> list[Path]:
    """Every photograph below `folder`, in name order. Raises ConvertError when there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise ConvertError(
            f"{folder} holds no photographs, expected {', '.join(sorted(SUFFIXES))} files: "
            "name a folder of photographs such as the model is to classify"
        )
    return found


def spread(files: Sequence[Path], count: int, *, start: int = 0, step: int = 1) -> list[Path]:
    """At most `count` of every `step`-th file from `start` on, evenly over all, so that every class folder is in."""
    candidates = files[start::step] or files
    places = np.linspace(0, len(candidates) - 1, min(count, len(candidates))).round().astype(int)
    return [candidates[place] for place in dict.fromkeys(places.tolist())]


def read_all(files: Sequence[Path], feeding: Preprocessing, *, phase: str, told: OnProgress) -> NDArray[np.uint8]:
    """All photographs, uint8 [N, height, width, 3]."""
    found = np.empty((len(files), feeding.height, feeding.width, 3), np.uint8)
    for number, file in enumerate(files):
        found[number] = feeding.pixels(file)
        told(phase, number + 1, len(files))
    return found
