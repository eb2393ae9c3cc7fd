"""The interface of a trained model's file to the conversion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from model.convert.preprocessing import Preprocessing


class SourceModel(Protocol):
    """The model to convert, with a static batch of one."""

    @property
    def side(self) -> tuple[int, int]:
        """Height and width of its input."""

    @property
    def tool(self) -> str:
        """Names and versions of what converts it, for the manifest."""

    def scores(self, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its answers [N, classes] to normalised photographs [N, height, width, 3]."""

    def to_tflite(self, kind: str, *, feeding: Preprocessing, photos: NDArray[np.uint8], takes_bytes: bool) -> bytes:
        """A TFLite file of `kind`. `photos`, uint8 [N, height, width, 3], calibrate int8.

        Raises ConvertError when the converter refuses.
        """


if TYPE_CHECKING:
    Opener = Callable[[Path, tuple[int, int] | None], SourceModel]
