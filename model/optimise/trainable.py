"""Open a model for training: a Keras file, or one of this project's recipe read back from its TFLite file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from model.convert.errors import ConvertError, first_lines
from model.convert.keras_source import import_tensorflow
from model.convert.quiet import silence
from model.training.architecture import convolutions
from model.training.backbone import BackboneError, read_backbone, read_classifier

TRAINED_HERE = "the built-in model and those of `tripoint model train`"


def open_trainable(file: Path, *, size: int) -> Any:
    """A `keras.Model`, float32 in -1..1 [N, size, size, 3] -> scores [N, classes]. Raises ConvertError.

    Of .tflite files only those of this project's own network can be turned back.
    """
    _, keras = import_tensorflow()
    if file.suffix == ".tflite":
        return _from_tflite(file, size=size)
    if file.suffix not in (".keras", ".h5", ".hdf5"):
        raise ConvertError(f"{file} cannot be trained on: expected a Keras file, or a model's name ({TRAINED_HERE})")
    try:
        with silence():
            return keras.models.load_model(file, compile=False)
    except (ValueError, TypeError, KeyError, OSError, AttributeError) as error:
        raise ConvertError(f"{file} cannot be loaded by Keras ({first_lines(error)})") from error


def _from_tflite(file: Path, *, size: int) -> Any:
    from model.training.network import build, set_weights

    try:
        layers = [*read_backbone(file, convolutions()), read_classifier(file)]
    except BackboneError as error:
        raise ConvertError(
            f"{file.name} cannot be trained on ({error}): a .tflite file can be turned back only where its network "
            f"is known, that is {TRAINED_HERE}; give the Keras file"
        ) from error
    network = build(len(layers[-1].bias), size=size, softmax=True)
    set_weights(network, layers)
    return network


def resized(model: Any, size: int) -> Any:
    """A copy with its weights for images of another size. Raises ConvertError where the network has but one size."""
    _, keras = import_tensorflow()
    try:
        with silence():
            copy = keras.models.clone_model(model, input_tensors=keras.Input((size, size, 3)))
            copy.set_weights(model.get_weights())
    except (ValueError, TypeError) as error:
        raise ConvertError(
            f"the network does not take images of {size} px ({first_lines(error)}): it must pool all positions "
            "before its classifier; leave distil out of --steps"
        ) from error
    return copy
