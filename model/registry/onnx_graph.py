"""Read an .onnx file's inputs and outputs with ONNX Runtime, in a process of its own, as the file is not trusted.

python -m model.registry.onnx_graph FILE      prints one JSON document
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from adapters.bundle.model_lookup import RegistryError
from core import runtime
from model.registry.graph import Graph, Tensor

SUFFIX = ".onnx"
_ROOT = Path(__file__).resolve().parent.parent.parent
_TIMEOUT_S = 300


def read(file: Path) -> Graph:
    """Read `file`. Raises RegistryError when it is no .onnx file, or ONNX Runtime is missing or refuses it."""
    if not runtime.installed("onnxruntime"):
        raise RegistryError(f"{file} needs ONNX Runtime, which is not installed: pip install 'tripoint[onnx]'")
    command = [sys.executable, "-m", "model.registry.onnx_graph", str(file.resolve())]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise RegistryError(f"{file} was not opened within {_TIMEOUT_S} s: export a smaller model") from None
    lines = done.stdout.splitlines()
    if done.returncode != 0 or not lines:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise RegistryError(f"{file} made ONNX Runtime end ({last[:200]}): export it again")
    document = json.loads(lines[-1])
    if "failure" in document:
        raise RegistryError(document["failure"])
    image, scores = (
        Tensor(name, tuple(document[name]["shape"]), document[name]["dtype"]) for name in ("input", "output")
    )
    return Graph(file, (image,), (scores,), customs=(), output_kind=None, takes=None, metadata=None)


def _document(file: Path) -> dict[str, object]:
    """What the fresh process prints."""
    from core.errors import TripointError

    try:
        opened = runtime.module("onnxruntime").open_interpreter(file)
    except TripointError as error:
        return {"failure": str(error)}
    return {
        name: {"shape": spec.shape, "dtype": spec.dtype}
        for name, spec in (("input", opened.input), ("output", opened.output))
    }


if __name__ == "__main__":
    print(json.dumps(_document(Path(sys.argv[1]))))
