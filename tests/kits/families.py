"""What the tests of ONNX models and of models of feature vectors share: tiny model folders."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.scripts import known_answer_onnx as tiny

COLOURS = ("red", "green", "blue")


def write_features(folder: Path, content: bytes, **changes: Any) -> Path:
    """A model folder around an XGBoost file of one feature."""
    document = {
        "name": "tiny",
        "labels": ["no", "yes"],
        "input": {"features": ["size"], "missing": "allow"},
        "output": "probabilities",
    }
    return _write(folder, "tiny.json", content, "xgboost", document | changes)


def write_images(folder: Path, content: bytes, **changes: Any) -> Path:
    """A model folder around an ONNX file for images of 6 x 4."""
    document = {
        "name": "colours",
        "labels": list(COLOURS),
        "input": {"height": 4, "width": 6, "resampling": "nearest"},
        "output": "logits",
    }
    return _write(folder, "tiny.onnx", content, "onnxruntime", document | changes)


def _write(folder: Path, file: str, content: bytes, runtime: str, document: dict[str, Any]) -> Path:
    (folder / file).write_bytes(content)
    variant = {
        "name": "only",
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "input_dtype": "float32",
        "preprocessing": "raw",
        "runtimes": [runtime],
    }
    variants = [variant | document.pop("variant", {})]
    text = json.dumps({"schema": 1, "version": "1", "variants": variants, **document})
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return folder


def mean_colour(layout: str, *, batch: int | str = 1) -> bytes:
    """An ONNX file: float32 image in, the mean of each of its three colours out."""
    from onnx import helper

    shape: tiny.Sides = (batch, 3, 4, 6) if layout == "nchw" else (batch, 4, 6, 3)
    axes = [2, 3] if layout == "nchw" else [1, 2]
    step = helper.make_node("ReduceMean", ["in"], ["out"], axes=axes, keepdims=0)
    return tiny.whole([step], [tiny.value("in", "FLOAT", shape)], [tiny.value("out", "FLOAT", (batch, 3))])
