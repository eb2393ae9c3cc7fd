"""The floor of a warm request: the image decoded at the size needed, and a bare invoke, on the same runtime."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

from PIL import Image

from bench.subjects.loop import folder, serve
from core import manifest, runtime


def main() -> None:
    """Arguments: the folder of images, the model's folder, the runtime."""
    loaded = manifest.load(Path(sys.argv[2]))
    variant, name = runtime.pick(loaded, wanted=sys.argv[3])
    interpreter = runtime.module(name).open_interpreter(variant.file)
    size = (loaded.input.width, loaded.input.height)
    resampling = Image.Resampling[loaded.input.resampling.upper()]

    def load(number: int) -> bytes:
        return (Path(folder()) / f"{number}.jpg").read_bytes()

    def answer(data: bytes) -> str:
        image = Image.open(io.BytesIO(data))
        if loaded.input.draft:
            image.draft("RGB", (round(loaded.input.draft * size[0]), round(loaded.input.draft * size[1])))
        pixels = image.convert("RGB").resize(size, resampling).tobytes()
        return json.dumps(len(interpreter.run(pixels)))

    serve(load, answer)
