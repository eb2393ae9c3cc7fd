"""Open a trained model's file as a `SourceModel`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from model.convert.errors import ConvertError

if TYPE_CHECKING:
    from model.convert.source_model import SourceModel

KNOWN = ".keras, .h5, a SavedModel folder, .pt2 (torch.export), or a float .tflite"


def open_source(path: Path, *, input_size: tuple[int, int] | None) -> SourceModel:
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
