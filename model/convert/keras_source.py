"""Convert Keras files and SavedModels with TensorFlow, which is imported only when such a file is given."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert import tflite_quantise
from model.convert.errors import ConvertError, ToolMissing, first_lines
from model.convert.kinds import RAW_SCALE, RAW_ZERO_POINT
from model.convert.preprocessing import normalised
from model.convert.quiet import silence
from model.convert.softmax import UnexpectedTail, float_softmax

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.convert.preprocessing import Preprocessing
    from model.convert.source_model import Opener

_BATCH = 32
# Of `core.preprocess.normalise`: what a graph must do by itself when it is given bytes.
_TORCH_MEAN, _TORCH_SPREAD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_CAFFE_MEAN = (103.939, 116.779, 123.68)


def import_tensorflow() -> tuple[Any, Any]:
    """Return `tensorflow` and `keras`. Raises ToolMissing naming the extra."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with silence():
            import keras
            import tensorflow
    except ImportError as error:
        raise ToolMissing(
            "a Keras file or SavedModel is converted by TensorFlow, which is not installed: "
            "pip install 'tripoint[convert]'"
        ) from error
    return tensorflow, keras


def open_keras(path: Path, input_size: tuple[int, int] | None) -> KerasOriginal:
    """A `.keras` or `.h5` file, by today's Keras, or by tf_keras where only that can read it. Raises ConvertError."""
    _, keras = import_tensorflow()
    try:
        with silence():
            loaded = keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, OSError, AttributeError, ImportError) as error:
        return _open_legacy(path, input_size, error)
    return KerasOriginal(loaded, input_size, path.name)


def _open_legacy(path: Path, input_size: tuple[int, int] | None, cause: Exception) -> KerasOriginal:
    """Keras 2's files by tf_keras, through a SavedModel, which lives as long as the model does."""
    try:
        with silence():
            import tf_keras
    except ImportError:
        raise ConvertError(
            f"{path} cannot be loaded by this Keras ({first_lines(cause)}): a file of Keras 2 may need "
            "`pip install --no-deps tf_keras`; a model with layers of your own must be saved as a SavedModel first"
        ) from cause
    try:
        with silence():
            kept = tempfile.TemporaryDirectory(prefix="tripoint-savedmodel-")
            tf_keras.models.load_model(path, compile=False).export(kept.name)
    except (ValueError, TypeError, KeyError, OSError, AttributeError) as error:
        raise ConvertError(
            f"{path} can be loaded neither by Keras ({first_lines(cause)}) nor by tf_keras ({first_lines(error)}): "
            "save it as a SavedModel where it was trained"
        ) from error
    opened = open_saved_model(Path(kept.name), input_size)
    opened.kept = kept
    return opened


def open_saved_model(folder: Path, input_size: tuple[int, int] | None) -> KerasOriginal:
    """A SavedModel with the signature `serving_default`. Raises ConvertError."""
    tensorflow, keras = import_tensorflow()
    try:
        with silence():
            signature = tensorflow.saved_model.load(str(folder)).signatures["serving_default"]
            ((_, first),) = signature.structured_input_signature[1].items()
            layer = keras.layers.TFSMLayer(str(folder), call_endpoint="serving_default")
            image = keras.Input(tuple(first.shape)[1:], dtype="float32")
            answer = layer(image)
            answer = next(iter(answer.values())) if isinstance(answer, dict) else answer
            model = keras.Model(image, answer)
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise ConvertError(
            f"{folder} cannot be loaded as a SavedModel with one image input in `serving_default` "
            f"({first_lines(error)}): export it with that signature"
        ) from error
    return KerasOriginal(model, input_size, folder.name)


class KerasOriginal:
    """A Keras model of one image in, scores out."""

    def __init__(self, model: Any, input_size: tuple[int, int] | None, name: str) -> None:
        shape = getattr(model, "input_shape", None)
        if not isinstance(shape, tuple) or len(shape) != 4 or shape[-1] != 3:
            raise ConvertError(f"{name} takes {shape}, expected one image [N, height, width, 3], channels last")
        self.side = _side(shape[1:3], input_size, name)
        self._model, self._name = model, name
        self.kept: object = None

    @property
    def tool(self) -> str:
        tensorflow, keras = import_tensorflow()
        return f"TensorFlow {tensorflow.__version__}, Keras {keras.__version__}"

    def scores(self, tensors: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `source.SourceModel`."""
        parts = [tensors[first : first + _BATCH] for first in range(0, len(tensors), _BATCH)]
        with silence():
            answers = np.concatenate([np.asarray(self._model(part, training=False)) for part in parts])
        return np.asarray(answers.reshape(len(tensors), -1), np.float32)

    def to_tflite(self, kind: str, *, feeding: Preprocessing, photos: NDArray[np.uint8], takes_bytes: bool) -> bytes:
        """See `source.SourceModel`."""
        tensorflow, _ = import_tensorflow()
        if kind == "weight-only":  # TensorFlow's converter has no such option
            float32 = self.to_tflite("float32", feeding=feeding, photos=photos, takes_bytes=takes_bytes)
            return tflite_quantise.weights_only(float32)
        bakes = takes_bytes and not (kind == "int8" and feeding.preprocessing in ("tf", "raw"))
        mode = feeding.preprocessing if bakes else "raw"
        # A quantised input of bytes is a float input to the converter, which turns it into bytes itself.
        dtype = "uint8" if takes_bytes and kind != "int8" else "float32"
        converter = tensorflow.lite.TFLiteConverter.from_keras_model(self._static(mode, dtype))
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS]
        if kind != "float32":
            converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
        if kind == "float16":
            converter.target_spec.supported_types = [tensorflow.float16]
        if kind != "int8":
            return _run(converter, self._name)
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tensorflow.uint8 if takes_bytes else tensorflow.float32
        converter.inference_output_type = tensorflow.float32
        shown = _calibration(photos, feeding, takes_bytes=takes_bytes, bakes=bakes)
        converter.representative_dataset = lambda: ([each] for each in shown)
        content = _run(converter, self._name)
        with contextlib.suppress(UnexpectedTail):  # it ends in logits: nothing to take out of int8
            content = float_softmax(content)
        return content

    def _static(self, mode: str, dtype: str) -> Any:
        """The model with a static batch of one, which does by itself what `mode` asks for.

        Converting with a free batch costs tflite-runtime its delegate: six times the time (measured 2026-11-20).
        """
        _, keras = import_tensorflow()
        image = keras.Input((*self.side, 3), batch_size=1, dtype=dtype)
        with silence():
            return keras.Model(image, self._model(_normalise(keras, image, mode), training=False))


def _side(known: Sequence[int | None], asked: tuple[int, int] | None, name: str) -> tuple[int, int]:
    """Height and width: the model's, or those asked for where it takes any."""
    height, width = (of_model or given for of_model, given in zip(known, asked or (0, 0), strict=True))
    if not height or not width or (asked and asked != (height, width)):
        sizes = " x ".join("any" if side is None else str(side) for side in known)
        raise ConvertError(f"{name} takes images of {sizes}: give such a size with --input-size HEIGHTxWIDTH")
    return height, width


def _normalise(keras: Any, image: Any, mode: str) -> Any:
    values = image if image.dtype == "float32" else keras.ops.cast(image, "float32")
    if mode == "tf":
        return values / 127.5 - 1.0
    if mode == "torch":
        return (values / 255.0 - np.array(_TORCH_MEAN, np.float32)) / np.array(_TORCH_SPREAD, np.float32)
    if mode == "caffe":
        return values[..., ::-1] - np.array(_CAFFE_MEAN, np.float32)
    return values


def _calibration(
    photos: NDArray[np.uint8], feeding: Preprocessing, *, takes_bytes: bool, bakes: bool
) -> list[NDArray[np.float32]]:
    """What int8 is calibrated with, float32 [1, height, width, 3] each.

    An all black and an all white photograph come first, so that the input's range is exactly that of bytes.
    Bytes that are read as -1..1 are (byte - 127) / 127.5: half a step above the mode `tf`, and a whole zero point.
    """
    ends = np.stack([np.zeros_like(photos[0]), np.full_like(photos[0], 255)])
    every = np.concatenate([ends, photos])
    if bakes or (takes_bytes and feeding.preprocessing == "raw"):
        return [each[None].astype(np.float32) for each in every]
    if takes_bytes:
        return [((each.astype(np.float32) - RAW_ZERO_POINT) * np.float32(RAW_SCALE))[None] for each in every]
    return [normalised(each, feeding.preprocessing)[None] for each in every]


def _run(converter: Any, name: str) -> bytes:
    """Run the converter; it raises classes of its own that derive from Exception alone."""
    from tensorflow.lite.python.convert import ConverterError

    try:
        with silence():
            return bytes(converter.convert())
    except (ConverterError, ValueError, RuntimeError, TypeError) as error:
        raise ConvertError(
            f"{name} cannot be converted ({first_lines(error)}): it must be made of operators that TFLite has"
        ) from error


_by_keras: Opener = open_keras
_by_tensorflow: Opener = open_saved_model
