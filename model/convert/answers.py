"""Compute a TFLite file's scores as the core feeds and runs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from core import preprocess, runtime
from core.errors import TripointError
from core.manifest import Variant
from model.convert.errors import ConvertError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def mode_of(dtype: str, preprocessing: str) -> str:
    """The manifest's word for feeding a converted file of input `dtype`.

    uint8 inputs take bytes as they are. int8 ones take them with another sign where the whole range of bytes lies
    evenly over the input; `torch` and `caffe` differ by colour, and are normalised first.
    """
    if dtype == "uint8":
        return "raw"
    if dtype == "int8" and preprocessing in ("tf", "raw"):
        return "quantised"
    return preprocessing


def file_scores(file: Path, photos: NDArray[np.uint8], *, preprocessing: str) -> tuple[str, str, NDArray[np.float32]]:
    """How `file` is to be fed, its input's dtype, and its scores [N, classes] for `photos` [N, height, width, 3].

    Raises ConvertError when it cannot be opened.
    """
    try:
        interpreter = runtime.module("litert").open_interpreter(file)
    except TripointError as error:
        raise ConvertError(f"{file.name} came out of the converter, but: {error}") from error
    spec = interpreter.input
    mode = mode_of(spec.dtype, preprocessing)
    fed = Variant(file.stem, file, "", spec.dtype, mode, ("litert",))
    rows = [interpreter.run(preprocess.to_tensor(Image.fromarray(photo), variant=fed, spec=spec)) for photo in photos]
    return mode, spec.dtype, np.asarray(rows, np.float32)
