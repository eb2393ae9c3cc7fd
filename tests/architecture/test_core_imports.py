"""What a cold start imports, held to a list: each of these modules costs more than a whole prediction."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from core import manifest, runtime
from core.settings import MODELS

# Measured on 2026-11-20: urllib.request 31 ms, asyncio 48, requests 84, numpy 54, boto3 290. (Plugins of Pillow
# themselves import subprocess.)
NEVER = {
    "urllib.request", "requests", "asyncio", "email", "http.client", "importlib.metadata", "importlib.resources",
    "ssl", "multiprocessing", "concurrent.futures", "unittest", "uuid", "tempfile", "xml",
    "boto3", "tensorflow", "scipy", "onnxruntime", "xgboost", "core.features", "core.xgboost_c",
    "logging", "traceback", "PIL.ImageFile", "PIL.ImageOps", "PIL.GifImagePlugin", "PIL.BmpImagePlugin",
    "PIL.PpmImagePlugin",
}  # fmt: skip

CLOTHES = runtime.usable(runtime.named_by(manifest.load(MODELS / "clothes")))

PROBE = """
import json, os, sys
before = set(sys.modules)
from core import instance
from core.service import Service
from core.wire import Request
service = Service.from_env(os.environ)
JPEG = bytes.fromhex(sys.argv[1])
answer = service.infer(Request("POST", "/", body=JPEG))
assert answer.status == 200, answer.document
print(json.dumps({"modules": sorted(set(sys.modules) - before), "model": answer.document["model"]}))
"""


def modules_after_first_answer(runtime_name: str) -> set[str]:
    """What a bare process has imported once it has answered; -S leaves out what a development site imports."""
    from tests.kits.core import encoded, picture

    jpeg = encoded(picture(), "JPEG").hex()
    environ = os.environ | {
        "TRIPOINT_RUNTIME": runtime_name,
        "TRIPOINT_LOG_LEVEL": "error",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", PROBE, jpeg], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    assert found["model"]["runtime"] == runtime_name
    return set(found["modules"])


@pytest.mark.parametrize("name", CLOTHES)
def test_a_cold_start_imports_none_of_the_expensive_modules(name: str) -> None:
    found = modules_after_first_answer(name)
    mine = NEVER if name == "litert-direct" else NEVER & {module for module in NEVER if module not in numpys()}
    assert not found & mine


def numpys() -> set[str]:
    """What importing numpy brings by itself, which is not ours to change."""
    code = "import sys; import numpy; print(' '.join(sys.modules))"
    return set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )


@pytest.mark.skipif("litert-direct" not in runtime.usable(), reason="ai-edge-litert is not installed")
def test_the_direct_path_answers_without_numpy_and_without_the_interpreter() -> None:
    found = modules_after_first_answer("litert-direct")
    assert not {module for module in found if module.split(".")[0] in ("numpy", "ai_edge_litert", "tflite_runtime")}
    assert not found & {"dataclasses", "inspect", "subprocess", "PIL.JpegImagePlugin", "PIL.Image"}


def test_one_runtime_is_imported_and_no_other() -> None:
    for name in CLOTHES:
        found = modules_after_first_answer(name)
        ours = {module for module, _ in runtime.MODULES.values()}
        assert found & ours == {runtime.MODULES[name][0]}
