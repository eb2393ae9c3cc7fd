"""The floor of a cold start: Python, numpy, Pillow, the runtime, a mapped model, allocate, one invoke; no image."""

from __future__ import annotations

import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from bench.subjects.loop import serve


def main() -> None:
    interpreter = Interpreter(model_path=sys.argv[2], num_threads=1)
    interpreter.allocate_tensors()
    first, last = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    tensor = np.zeros(first["shape"], first["dtype"])

    def answer(_: int) -> str:
        interpreter.set_tensor(first["index"], tensor)
        interpreter.invoke()
        return f"{interpreter.get_tensor(last['index']).size} scores, Pillow {Image.__name__}"

    serve(int, answer)
