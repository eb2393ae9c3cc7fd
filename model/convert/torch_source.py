"""A program exported by PyTorch (`torch.export.save`), by way of litert-torch, which makes TFLite of it."""

from __future__ import annotations

import tempfile
from importlib import metadata
from pathlib import Path

from model.convert.errors import ConvertError, ToolMissing, first_lines
from model.convert.silence import silence
from model.convert.tflite_source import TfliteOriginal


def open_torch(path: Path) -> TfliteOriginal:
    """A `.pt2` file of an image classifier that takes float32 [1, 3, height, width]; channels go last.

    Raises ToolMissing without litert-torch, ConvertError where it cannot be loaded or converted.
    """
    try:
        with silence():
            import litert_torch
            import torch
    except ImportError as error:
        raise ToolMissing(
            "a PyTorch program is converted by litert-torch, which is not installed: pip install litert-torch "
            "(it brings torch and 2 GB)"
        ) from error
    try:
        with silence(), tempfile.TemporaryDirectory(prefix="tripoint-torch-") as folder:
            program = torch.export.load(path)
            shapes = [tuple(value.shape) for value in program.example_inputs[0]]
            if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][:2] != (1, 3):
                raise ConvertError(f"{path} takes {shapes}, expected one image [1, 3, height, width]: export it so")
            image = torch.zeros(1, *shapes[0][2:], 3)
            lite = litert_torch.convert(litert_torch.to_channel_last_io(program.module(), args=[0]), (image,))
            file = Path(folder) / "model.tflite"
            lite.export(str(file))
            content = file.read_bytes()
    except (RuntimeError, ValueError, TypeError, OSError, KeyError) as error:
        if isinstance(error, ConvertError):
            raise
        raise ConvertError(
            f"{path} cannot be converted by litert-torch ({first_lines(error)}): "
            "save it with torch.export.save, in eval mode"
        ) from error
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("litert-torch", "torch"))
    return TfliteOriginal(content, path.name, tool=versions)
