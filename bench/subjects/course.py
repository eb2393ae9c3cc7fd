"""A handler written to the course's recipe: keras-image-helper 0.0.1 and tflite-runtime on a float model.

In facts: one global interpreter, the image resized with NEAREST and scaled to -1..1 as float32, all labels with
their scores. (The recipe fetches the image; here it lies in a file, which costs it nothing.)
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tflite_runtime.interpreter as tflite
from keras_image_helper import create_preprocessor  # type: ignore[import-untyped]

from bench.subjects.loop import folder, serve


def main() -> None:
    """Arguments: the folder of images, the model file, its manifest."""
    manifest = json.loads(Path(sys.argv[3]).read_text(encoding="utf-8"))
    interpreter = tflite.Interpreter(model_path=sys.argv[2])
    interpreter.allocate_tensors()
    input_index = interpreter.get_input_details()[0]["index"]
    output_index = interpreter.get_output_details()[0]["index"]
    preprocessor = create_preprocessor("xception", (manifest["input"]["width"], manifest["input"]["height"]))

    def handle(path: str) -> dict[str, float]:
        interpreter.set_tensor(input_index, preprocessor.from_path(path))
        interpreter.invoke()
        scores = interpreter.get_tensor(output_index)[0].tolist()
        return dict(zip(manifest["labels"], scores, strict=True))

    serve(lambda number: f"{folder()}/{number}.jpg", lambda path: len(json.dumps(handle(path))))
