"""The network in Keras: MobileNetV2 with folded batch normalisation and a softmax classifier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.training.architecture import Convolution, Weights, convolutions


class ConvertExtraMissing(ImportError):
    """The training and conversion stack is not installed."""


def import_keras() -> Any:
    """Return the `keras` module, or say which extra brings it."""
    try:
        import keras
        import tensorflow  # noqa: F401 - the backend of keras
    except ImportError as error:
        raise ConvertExtraMissing(
            "training and conversion need TensorFlow, which is not installed: pip install 'tripoint[convert]'"
        ) from error
    return keras


def build(classes: int, *, size: int, batch: int | None = None, dropout: float = 0.0, softmax: bool = False) -> Any:
    """Return a `keras.Model`: float32 RGB in -1..1, [batch, size, size, 3] -> [batch, classes].

    The answers are logits, or probabilities with `softmax`.
    """
    keras = import_keras()
    image = keras.Input((size, size, 3), batch_size=batch)
    x = image
    start = x
    for layer in convolutions():
        if layer.starts_block:
            start = x
        x = _convolve(keras, layer)(x)
        if layer.relu6:
            x = keras.layers.ReLU(6.0)(x)
        if layer.adds:
            x = keras.layers.Add()([start, x])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    if dropout:
        x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Dense(classes, name="classifier", activation="softmax" if softmax else None)(x)
    return keras.Model(image, x, name="mobilenet_v2")


def _convolve(keras: Any, layer: Convolution) -> Any:
    common = {"strides": layer.stride, "padding": "same", "name": layer.name}
    if layer.depthwise:
        return keras.layers.DepthwiseConv2D(3, **common)
    return keras.layers.Conv2D(layer.kernel[3], layer.kernel[0], **common)


def set_weights(network: Any, layers: Sequence[Weights]) -> None:
    """Give the convolutions of `network` their weights, in order; a last extra entry is the classifier's."""
    names = [layer.name for layer in convolutions()] + ["classifier"]
    for name, weights in zip(names, layers, strict=False):
        network.get_layer(name).set_weights([weights.kernel, weights.bias])


def get_weights(network: Any) -> list[Weights]:
    """The weights of all convolutions and of the classifier, in order."""
    names = [layer.name for layer in convolutions()] + ["classifier"]
    return [Weights(*network.get_layer(name).get_weights()) for name in names]
