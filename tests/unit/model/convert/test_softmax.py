"""The softmax at the end of a quantised file, moved from int8 to float."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from model.convert.softmax import UnexpectedTail, float_softmax
from model.training.accuracy import scores
from tests.kits.model import Step, Tensor, tflite
from tests.scripts.known_answer import model as dequantise_only

SOFTMAX, DEQUANTIZE = 25, 6
LOGITS = np.array([[[40, 39, -20, -60]], [[0, 0, 0, 1]]], np.int8)
SCALE = 0.1


@pytest.fixture
def quantised() -> bytes:
    """int8 logits in, softmax in int8, float32 out: the tail that the converter writes."""
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    tensors = [
        Tensor((1, 4), scales=(SCALE,), zero_points=(0,)),
        Tensor((1, 4), scales=(1 / 256,), zero_points=(-128,)),
        Tensor((1, 4), "float32"),
    ]
    steps = [
        Step(SOFTMAX, (0,), (1,), (schema.BuiltinOptions.SoftmaxOptions, options)),
        Step(DEQUANTIZE, (1,), (2,)),
    ]
    return tflite(tensors, steps, inputs=[0], outputs=[2])


def _outputs(content: bytes, folder: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    file = folder / "tail.tflite"
    file.write_bytes(content)
    return scores(file, LOGITS.reshape(2, 4))


def test_the_probabilities_are_those_of_the_logits(quantised: bytes, tmp_path: Path) -> None:
    powers = np.exp(LOGITS.reshape(2, 4) * SCALE)
    assert _outputs(float_softmax(quantised), tmp_path) == pytest.approx(
        powers / powers.sum(axis=1, keepdims=True), abs=1e-6
    )


def test_before_they_come_in_steps_of_a_256th(quantised: bytes, tmp_path: Path) -> None:
    before = _outputs(quantised, tmp_path) * 256
    assert before == pytest.approx(np.round(before), abs=1e-4)
    assert before[0, 3] == 0


def test_a_file_with_another_tail_is_refused() -> None:
    with pytest.raises(UnexpectedTail, match="expected SOFTMAX, DEQUANTIZE"):
        float_softmax(dequantise_only())


def test_a_softmax_that_is_float_already_is_refused(quantised: bytes) -> None:
    with pytest.raises(UnexpectedTail):
        float_softmax(float_softmax(quantised))
