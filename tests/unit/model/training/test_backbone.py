"""The backbone's weights, out of a quantised file, and the architecture that they must fit."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from model.training.architecture import Convolution, convolutions
from model.training.backbone import BackboneError, dequantise, read_backbone, read_classifier
from tests.kits.model import Step, Tensor, tflite
from tests.paths import ROOT

CONV_2D, DEPTHWISE_CONV_2D = 3, 4
POINT = Convolution("point", (1, 1, 3, 2), 1, depthwise=False, relu6=True)
DEPTH = Convolution("depth", (3, 3, 2, 1), 1, depthwise=True, relu6=True)
# [out, height, width, in] with one scale for each output channel, as TFLite stores it.
POINT_KERNEL = np.array([[[[10, -20, 30]]], [[[1, 2, -3]]]], np.int8)
DEPTH_KERNEL = np.arange(18, dtype=np.int8).reshape(1, 3, 3, 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A pointwise convolution from 3 to 2 channels, then a depthwise one."""
    tensors = [
        Tensor((1, 4, 4, 3), scales=(0.1,), zero_points=(0,)),
        Tensor((2, 1, 1, 3), content=POINT_KERNEL.tobytes(), scales=(0.5, 0.25), zero_points=(0, 0)),
        Tensor((2,), "int32", np.array([4, -8], "<i4").tobytes(), (0.05, 0.025), (0, 0)),
        Tensor((1, 4, 4, 2), scales=(0.1,), zero_points=(0,)),
        Tensor((1, 3, 3, 2), content=DEPTH_KERNEL.tobytes(), scales=(1.0, 2.0), zero_points=(0, 0), axis=3),
        Tensor((2,), "int32", np.array([1, 1], "<i4").tobytes(), (0.1, 0.2), (0, 0)),
        Tensor((1, 4, 4, 2), scales=(0.1,), zero_points=(0,)),
    ]
    steps = [Step(CONV_2D, (0, 1, 2), (3,)), Step(DEPTHWISE_CONV_2D, (3, 4, 5), (6,))]
    path = tmp_path / "tiny.tflite"
    path.write_bytes(tflite(tensors, steps, inputs=[0], outputs=[6]))
    return path


def test_one_scale_is_applied_to_all_values() -> None:
    found = dequantise(np.array([0, 3, 255], np.uint8), [0.5], [3], axis=0)
    assert found.dtype == np.float32
    assert found.tolist() == [-1.5, 0.0, 126.0]


def test_one_scale_for_each_channel_is_applied_along_its_axis() -> None:
    values = np.array([[1, 1], [2, 2]], np.int8)
    assert dequantise(values, [1.0, 10.0], [0, 1], axis=0).tolist() == [[1.0, 1.0], [10.0, 10.0]]
    assert dequantise(values, [1.0, 10.0], [0, 1], axis=1).tolist() == [[1.0, 0.0], [2.0, 10.0]]


def test_kernels_come_out_as_height_width_in_out(file: Path) -> None:
    point, _ = read_backbone(file, [POINT, DEPTH])
    assert point.kernel[0, 0].tolist() == [[5.0, 0.25], [-10.0, 0.5], [15.0, -0.75]]
    assert point.bias.tolist() == pytest.approx([0.2, -0.2])


def test_depthwise_kernels_come_out_as_height_width_channels_one(file: Path) -> None:
    _, depth = read_backbone(file, [POINT, DEPTH])
    assert depth.kernel.shape == (3, 3, 2, 1)
    assert depth.kernel[0, 1, :, 0].tolist() == [2.0, 6.0]


def test_what_follows_the_expected_layers_is_left(file: Path) -> None:
    assert len(read_backbone(file, [POINT])) == 1


def test_another_shape_is_refused_naming_the_layer(file: Path) -> None:
    wider = Convolution("point", (1, 1, 3, 4), 1, depthwise=False, relu6=True)
    with pytest.raises(BackboneError, match=r"layer point has a kernel of \(1, 1, 3, 2\), expected \(1, 1, 3, 4\)"):
        read_backbone(file, [wider])


def test_a_file_with_too_few_layers_is_refused(file: Path) -> None:
    with pytest.raises(BackboneError, match="has 2 convolutions, expected at least 3"):
        read_backbone(file, [POINT, DEPTH, POINT])


def test_the_architecture_is_mobilenet_v2() -> None:
    layers = convolutions()
    parameters = sum(int(np.prod(layer.kernel)) + layer.channels for layer in layers)
    # keras.applications counts 2,257,984 without the top; a folded batch norm is one number for each
    # channel where an unfolded one is four.
    assert parameters == 2_257_984 - 3 * sum(layer.channels for layer in layers)
    assert len(layers) == 52
    assert sum(layer.adds for layer in layers) == 10
    assert int(np.prod([layer.stride for layer in layers])) == 32


def test_every_layer_takes_what_the_one_before_puts_out() -> None:
    layers = convolutions()
    for before, layer in pairwise(layers):
        assert layer.kernel[2] == before.channels, layer.name


def test_the_imagenet_backbone_is_read_whole(data_folder: Path) -> None:
    weights = read_backbone(data_folder / "models" / "tf2_mobilenet_v2_1.0_224_ptq.tflite", convolutions())
    assert len(weights) == 52
    assert all(np.isfinite(layer.kernel).all() and layer.kernel.any() for layer in weights)


def test_the_built_in_model_is_a_backbone_and_its_classifier_is_read_beside_it() -> None:
    folder = ROOT / "model" / "clothes"
    exact = read_backbone(folder / "clothes-float16.tflite", convolutions())
    coarse = read_backbone(folder / "clothes-int8.tflite", convolutions())
    for one, other in zip(exact, coarse, strict=True):
        assert np.abs(one.kernel - other.kernel).max() <= np.abs(one.kernel).max() / 100
    classifier = read_classifier(folder / "clothes-float16.tflite")
    assert (classifier.kernel.shape, classifier.bias.shape) == ((1280, 10), (10,))


def test_a_file_without_a_classifier_is_refused(file: Path) -> None:
    with pytest.raises(BackboneError, match="has no fully connected layer"):
        read_classifier(file)


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"nothing of the kind")
    with pytest.raises(BackboneError, match="is not a TFLite file"):
        read_backbone(tmp_path / "x.tflite", convolutions())
