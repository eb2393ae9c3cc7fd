"""Write trained weights as TFLite files, with a static batch of one."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.kinds import RAW_SCALE, RAW_ZERO_POINT
from model.convert.softmax import float_softmax
from model.training.network import build, import_keras, set_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.training.architecture import Weights


def to_float16(weights: Sequence[Weights], classes: int, *, size: int) -> bytes:
    """Return a TFLite file with float16 weights: input float32 in -1..1, output probabilities."""
    converter = _converter(weights, classes, size=size)
    tensorflow = _tensorflow()
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tensorflow.float16]
    return _convert(converter)


def to_int8(weights: Sequence[Weights], classes: int, *, size: int, photos: NDArray[np.uint8]) -> bytes:
    """Return a fully quantised TFLite file: int8 per channel, input the raw RGB bytes, output float32.

    `photos`, uint8 [N, size, size, 3], calibrate the ranges of the activations. Two photos are added to
    them, all black and all white, so that the input's range is exactly that of the bytes.
    """
    converter = _converter(weights, classes, size=size)
    tensorflow = _tensorflow()
    converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.representative_dataset = lambda: _calibration(photos)
    converter.inference_input_type = tensorflow.uint8
    converter.inference_output_type = tensorflow.float32
    return float_softmax(_convert(converter))


def scaled(photos: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the photos as float32 in -1..1, the preprocessing mode `tf`."""
    return photos.astype(np.float32) / np.float32(127.5) - np.float32(1)


def _calibration(photos: NDArray[np.uint8]) -> Iterator[list[NDArray[np.float32]]]:
    """Each photo as the bytes will be read, (byte - 127) / 127.5: half a step above the mode `tf`."""
    ends = np.stack([np.zeros_like(photos[0]), np.full_like(photos[0], 255)])
    for photo in [*ends, *photos]:
        yield [((photo.astype(np.float32) - RAW_ZERO_POINT) * np.float32(RAW_SCALE))[None]]


def _converter(weights: Sequence[Weights], classes: int, *, size: int) -> Any:
    network = build(classes, size=size, batch=1, softmax=True)
    set_weights(network, weights)
    return _tensorflow().lite.TFLiteConverter.from_keras_model(network)


def _convert(converter: Any) -> bytes:
    """Run the converter without the signature that it prints."""
    with contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())


def _tensorflow() -> Any:
    import_keras()
    import tensorflow

    return tensorflow
