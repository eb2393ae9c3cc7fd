"""Convert the built-in clothes model from its float16 TFLite file to ONNX. The weights stay the same numbers.

    python -m model.examples.clothes_onnx FOLDER [--layout nchw]

Needs the extra `convert` (TensorFlow and tf2onnx). `python -m model.examples.agreement` compares the two.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from model.manifest_writer import write_manifest

CLOTHES = Path(__file__).resolve().parent.parent / "clothes"
SOURCE = "clothes-float16.tflite"
FILE = "clothes.onnx"
OPSET = 17  # ONNX Runtime has it since 1.12


def export(source: Path, *, layout: str) -> bytes:
    """Convert a TFLite file of one image input; "nchw" gives it planes of colours, as PyTorch's models have."""
    from tf2onnx import convert

    model, _ = convert.from_tflite(str(source), opset=OPSET)
    if layout == "nchw":
        name = model.graph.input[0].name
        model, _ = convert.from_tflite(str(source), opset=OPSET, inputs_as_nchw=[name])
    content: bytes = model.SerializeToString()
    return content


def manifest(content: bytes, *, layout: str) -> dict[str, object]:
    """The clothes model's own manifest with one variant for ONNX Runtime, fed as the float16 file is."""
    clothes: dict[str, Any] = json.loads((CLOTHES / "manifest.json").read_text("utf-8"))
    origin = next(variant for variant in clothes["variants"] if variant["file"] == SOURCE)
    variant = {
        "name": "float32",
        "file": FILE,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "input_dtype": origin["input_dtype"],
        "preprocessing": origin["preprocessing"],
        "layout": layout,
        "runtimes": ["onnxruntime"],
    }
    kept = {name: clothes[name] for name in ("schema", "version", "labels", "input", "output", "licence")}
    conversion = {"from": SOURCE, "sha256": origin["sha256"], "command": "python -m model.examples.clothes_onnx"}
    title = f"{clothes['title']}, as ONNX"
    return {**kept, "name": "clothes-onnx", "title": title, "variants": [variant], "conversion": conversion}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.examples.clothes_onnx", description=__doc__.split("\n")[0])
    parser.add_argument("folder", type=Path, help="where the model folder is written")
    parser.add_argument("--layout", choices=("nhwc", "nchw"), default="nhwc", help="order of the image's axes")
    asked = parser.parse_args()
    content = export(CLOTHES / SOURCE, layout=asked.layout)
    asked.folder.mkdir(parents=True, exist_ok=True)
    (asked.folder / FILE).write_bytes(content)
    write_manifest(manifest(content, layout=asked.layout), asked.folder / "manifest.json")
    print(f"{asked.folder}: {len(content)} bytes")


if __name__ == "__main__":
    main()
