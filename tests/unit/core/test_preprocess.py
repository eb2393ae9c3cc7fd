"""RGB -> tensor: bit-identical with Keras, and integers as the tensor stores them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.manifest import Input, Variant
from core.preprocess import normalise, pixels, resize, scale, to_tensor
from core.runtime import TensorSpec
from tests.kits.core import picture

SHAPE = (1, 2, 3, 3)
PIXELS = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 15
IMAGE = Image.fromarray(PIXELS)


def fed(mode: str, **more: Any) -> Variant:
    """A variant with this preprocessing; the rest does not matter here."""
    return Variant("only", Path("m.tflite"), "0" * 64, "float32", mode, ("litert",), **more)


def test_tf_mode_is_keras_preprocess_input_bit_by_bit() -> None:
    every = Image.fromarray(np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
    expected = np.asarray(every).astype(np.float32)
    expected /= 127.5
    expected -= 1.0
    assert normalise(every, "tf").tobytes() == expected.tobytes()
    other = np.asarray(every).astype(np.float32) * np.float32(1 / 127.5) - np.float32(1)
    assert other.tobytes() != expected.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (224, 224), (2000, 1500)])
def test_the_bytes_of_an_image_are_pillows_own(mode: str, size: tuple[int, int]) -> None:
    image = Image.effect_noise(size, 60).convert(mode)
    assert pixels(image) == image.tobytes()


def test_the_bytes_of_an_image_are_had_from_a_pillow_of_another_kind_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Image, "_getencoder")
    monkeypatch.setattr(Image.Image, "tobytes", lambda image: b"as ever")
    assert pixels(IMAGE) == b"as ever"


def test_torch_mode_scales_then_standardises_each_channel() -> None:
    found = normalise(Image.new("RGB", (1, 1), (255, 0, 51)), "torch")[0, 0]
    assert found == pytest.approx([(1 - 0.485) / 0.229, (0 - 0.456) / 0.224, (0.2 - 0.406) / 0.225], rel=1e-6)


def test_caffe_mode_turns_to_bgr_and_takes_the_mean_away() -> None:
    found = normalise(Image.new("RGB", (1, 1), (10, 20, 30)), "caffe")[0, 0]
    assert found == pytest.approx([30 - 103.939, 20 - 116.779, 10 - 123.68], rel=1e-6)


def test_raw_bytes_pass_unchanged_into_a_uint8_tensor() -> None:
    assert to_tensor(IMAGE, variant=fed("raw"), spec=TensorSpec(SHAPE, "uint8", 1 / 127.5, 127)) == PIXELS.tobytes()


def test_raw_into_float_is_zero_to_255() -> None:
    tensor = to_tensor(IMAGE, variant=fed("raw"), spec=TensorSpec(SHAPE, "float32"))
    assert np.frombuffer(tensor, np.float32).tolist() == PIXELS.ravel().astype(float).tolist()


def test_quantised_lays_the_bytes_over_the_tensors_whole_range() -> None:
    signed = to_tensor(IMAGE, variant=fed("quantised"), spec=TensorSpec(SHAPE, "int8", 1 / 127.5, -1))
    assert np.frombuffer(signed, np.int8).tolist() == (PIXELS.ravel().astype(int) - 128).tolist()
    assert to_tensor(IMAGE, variant=fed("quantised"), spec=TensorSpec(SHAPE, "uint8")) == PIXELS.tobytes()


@pytest.mark.parametrize(("dtype", "zero_point"), [("int8", -1), ("uint8", 127)])
def test_a_normalised_image_is_quantised_with_the_tensors_own_scale(dtype: str, zero_point: int) -> None:
    spec = TensorSpec(SHAPE, dtype, 1 / 127.5, zero_point)
    stored = np.frombuffer(to_tensor(IMAGE, variant=fed("tf"), spec=spec), dtype)
    real = (stored.astype(float) - zero_point) / 127.5
    assert real == pytest.approx(PIXELS.ravel() / 127.5 - 1, abs=0.6 / 127.5)


def test_scaled_takes_the_mean_away_and_divides_channel_by_channel() -> None:
    image = Image.new("RGB", (1, 1), (10, 20, 30))
    variant = fed("scaled", mean=(1.0, 2.0, 3.0), std=(2.0, 4.0, 8.0))
    found = np.frombuffer(to_tensor(image, variant=variant, spec=TensorSpec((1, 1, 1, 3), "float32")), np.float32)
    assert found.tolist() == [4.5, 4.5, 3.375]


def test_scaled_by_255_is_keras_rescaling_bit_by_bit() -> None:
    every = Image.fromarray(np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3))
    expected = np.asarray(every).astype(np.float32) / np.float32(255)
    assert scale(every, (0.0,) * 3, (255.0,) * 3).tobytes() == expected.tobytes()


@pytest.mark.parametrize(
    ("mode", "spec"),
    [
        ("raw", TensorSpec(SHAPE, "uint8")),
        ("quantised", TensorSpec(SHAPE, "int8")),
        ("tf", TensorSpec(SHAPE, "float32")),
    ],
)
def test_a_model_that_takes_blue_first_gets_it_first(mode: str, spec: TensorSpec) -> None:
    turned = Image.fromarray(np.ascontiguousarray(PIXELS[..., ::-1]))
    found = to_tensor(IMAGE, variant=fed(mode, channels="bgr"), spec=spec)
    assert bytes(found) == bytes(to_tensor(turned, variant=fed(mode), spec=spec))


def test_quantising_clips_at_the_ends_of_the_type() -> None:
    stored = np.frombuffer(to_tensor(IMAGE, variant=fed("caffe"), spec=TensorSpec(SHAPE, "int8", 0.1, 0)), np.int8)
    assert (stored.min(), stored.max()) == (-128, 127)


@pytest.mark.parametrize("name", ["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"])
def test_resampling_is_the_one_that_the_manifest_names(name: str) -> None:
    image = picture(size=(50, 40))
    found = resize(image, Input(height=20, width=30, resampling=name, orient=True, draft=0.0))
    assert found.size == (30, 20)
    assert found.tobytes() == image.resize((30, 20), getattr(Image.Resampling, name.upper())).tobytes()


def test_nearest_takes_the_pixels_that_keras_load_img_takes() -> None:
    """`load_img` calls Pillow's NEAREST, which takes the pixel under the centre of each target pixel."""
    image = picture(size=(50, 40))
    found = np.asarray(resize(image, Input(20, 30, "nearest", orient=True, draft=0.0)))
    rows = ((np.arange(20) + 0.5) * 40 / 20).astype(int)
    columns = ((np.arange(30) + 0.5) * 50 / 30).astype(int)
    assert np.array_equal(found, np.asarray(image)[rows][:, columns])
