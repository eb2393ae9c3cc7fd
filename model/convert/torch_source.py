"""Convert a program exported by PyTorch (`torch.export.save`) with litert-torch."""

from __future__ import annotations

import tempfile
import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.errors import ConvertError, ToolMissing, first_lines
from model.convert.quiet import silence
from model.convert.tflite_source import TfliteOriginal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.convert.source_model import Opener


class TorchOriginal(TfliteOriginal):
    """A PyTorch network: it answers itself, and its TFLite file is what others are made from."""

    def __init__(self, network: Any, content: bytes, name: str, *, tool: str) -> None:
        super().__init__(content, name, tool=tool)
        self._network = network

    def scores(self, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `source.SourceModel`; PyTorch takes channels first."""
        import torch

        with torch.no_grad():
            images = torch.from_numpy(np.ascontiguousarray(tensors.transpose(0, 3, 1, 2)))
            answers = [self._network(image[None]).numpy().ravel() for image in images]
        return np.asarray(answers, np.float32)


def open_torch(path: Path, input_size: tuple[int, int] | None = None) -> TorchOriginal:
    """A `.pt2` file of an image classifier that takes float32 [1, 3, height, width], of that size and no other.

    Raises ToolMissing without litert-torch, ConvertError where it cannot be loaded or converted.
    """
    try:
        with silence():
            import litert_torch  # noqa: F401
            import torch  # noqa: F401
    except ImportError as error:
        raise ToolMissing(
            "a PyTorch program is converted by litert-torch, which is not installed: pip install litert-torch "
            "(it brings torch and 2 GB)"
        ) from error
    try:
        with silence():
            network, content = _to_tflite(path)
    except (RuntimeError, ValueError, TypeError, OSError, KeyError, zipfile.BadZipFile) as error:
        if isinstance(error, ConvertError):
            raise
        raise ConvertError(
            f"{path} cannot be converted by litert-torch ({first_lines(error)}): "
            "save it with torch.export.save, in eval mode"
        ) from error
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("litert-torch", "torch"))
    return TorchOriginal(network, content, path.name, tool=versions)


def _to_tflite(path: Path) -> tuple[Any, bytes]:
    """The network and its TFLite file, channels last."""
    import litert_torch
    import torch

    program = torch.export.load(path)
    shapes = [tuple(value.shape) for value in program.example_inputs[0]]
    if len(shapes) != 1 or len(shapes[0]) != 4 or shapes[0][:2] != (1, 3):
        raise ConvertError(f"{path} takes {shapes}, expected one image [1, 3, height, width]: export it so")
    network = program.module()
    image = torch.zeros(1, *shapes[0][2:], 3)
    lite = litert_torch.convert(litert_torch.to_channel_last_io(network, args=[0]), (image,))
    with tempfile.TemporaryDirectory(prefix="tripoint-torch-") as folder:
        file = Path(folder) / "model.tflite"
        lite.export(str(file))
        return network, file.read_bytes()


_by_litert: Opener = open_torch
