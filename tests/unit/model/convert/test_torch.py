"""Converting a PyTorch program; needs litert-torch, which no extra brings, and is skipped without it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from core import manifest as core_manifest
from model.convert import Conversion, convert
from model.convert.errors import ConvertError
from model.convert.source import open_source
from tests.paths import SAMPLES

HAS_TORCH = importlib.util.find_spec("litert_torch") is not None
pytestmark = [
    pytest.mark.skipif(not HAS_TORCH, reason="litert-torch is not installed: pip install litert-torch"),
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.timeout(600),
]


def _save(file: Path, shape: tuple[int, ...]) -> None:
    import torch

    torch.manual_seed(3)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(shape[1], 8, 3, 2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
        torch.nn.Linear(8, 4),
    )  # fmt: skip
    torch.export.save(torch.export.export(network.eval(), (torch.zeros(*shape),)), file)


def test_a_pytorch_program_becomes_a_model_with_channels_last(tmp_path: Path) -> None:
    _save(tmp_path / "net.pt2", (1, 3, 32, 48))
    labels = ("a", "b", "c", "d")
    asked = Conversion(tmp_path / "net.pt2", tmp_path / "out", labels, SAMPLES, "torch", kinds=("float32", "int8"))
    made = {one.kind: one for one in convert(asked)}
    assert made["float32"].likeness.largest_difference < 1e-5
    assert made["int8"].likeness.largest_difference < 1
    loaded = core_manifest.load(tmp_path / "out")
    assert (loaded.input.height, loaded.input.width, loaded.output) == (32, 48, "logits")


def test_a_program_of_another_kind_says_what_is_expected(tmp_path: Path) -> None:
    _save(tmp_path / "grey.pt2", (1, 1, 32, 32))
    with pytest.raises(ConvertError, match="expected one image"):
        open_source(tmp_path / "grey.pt2", input_size=None)
    (tmp_path / "broken.pt2").write_bytes(b"nothing of the kind")
    with pytest.raises(ConvertError, match="cannot be converted by litert-torch"):
        open_source(tmp_path / "broken.pt2", input_size=None)
