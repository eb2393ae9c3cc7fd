"""A trained model's file -> an `Original`: what it answers, and what it becomes as TFLite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from model.convert.errors import ConvertError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from model.convert.preprocessing import Feeding

KNOWN = ".keras, .h5, a SavedModel folder, .pt2 (torch.export), or a float .tflite"


class Original(Protocol):
    """The model to convert, with a static batch of one."""

    @property
    def side(self) -> tuple[int, int]:
        """Height and width of its input."""

    @property
    def tool(self) -> str:
        """Names and versions of what converts it, for the manifest."""

    def scores(self, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Its answers [N, classes] to normalised photographs [N, height, width, 3]."""

    def to_tflite(self, kind: str, *, feeding: Feeding, photos: NDArray[np.uint8], takes_bytes: bool) -> bytes:
        """A TFLite file of `kind`. `photos`, uint8 [N, height, width, 3], calibrate int8.

        Raises ConvertError when the converter refuses.
        """


if TYPE_CHECKING:
    Opener = Callable[[Path, tuple[int, int] | None], Original]


def open_source(path: Path, *, input_size: tuple[int, int] | None) -> Original:
    """Load a model. `input_size` (height, width) is for one that takes any. Raises ConvertError."""
    if not path.exists():
        raise ConvertError(f"{path} does not exist: name {KNOWN}")
    if path.is_dir():
        if not (path / "saved_model.pb").is_file():
            raise ConvertError(f"{path} is a folder without saved_model.pb: name {KNOWN}")
        from model.convert.keras_source import open_saved_model

        return open_saved_model(path, input_size)
    if path.suffix in (".keras", ".h5", ".hdf5"):
        from model.convert.keras_source import open_keras

        return open_keras(path, input_size)
    if path.suffix == ".tflite":
        from model.convert.tflite_source import TfliteOriginal

        return TfliteOriginal(path.read_bytes(), path.name, tool="as it was given")
    if path.suffix == ".pt2":
        from model.convert.torch_source import open_torch

        return open_torch(path, input_size)
    raise ConvertError(f"{path} ends in {path.suffix or 'nothing'}: name {KNOWN}")
