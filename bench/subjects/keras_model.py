"""The same kind of network in TensorFlow: import, `load_model`, `predict`."""

from __future__ import annotations

import sys

import numpy as np
import tensorflow as tf
from PIL import Image

from bench.subjects.loop import folder, serve


def main() -> None:
    """Arguments: the folder of images, the Keras file."""
    model = tf.keras.models.load_model(sys.argv[2], compile=False)
    _, height, width, _ = model.input_shape

    def answer(path: str) -> int:
        with Image.open(path) as image:
            pixels = np.array(image.convert("RGB").resize((width, height)), dtype=np.float32) / 127.5 - 1
        return int(model.predict(pixels[None], verbose=0).size)

    serve(lambda number: f"{folder()}/{number}.jpg", answer)
