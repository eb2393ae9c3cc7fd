"""What a bundle carries for a model of each family: its own runtime and no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters import contract
from adapters.bundle import assemble, layout, preflight, runtimes
from adapters.bundle.build import BundleSpec
from adapters.bundle.errors import BundleError
from adapters.bundle.target import target_of
from core import runtime
from core.settings import MODELS
from tests.kits.families import write_features
from tests.scripts import known_answer_xgboost as known

EXAMPLES = MODELS / "examples"
CLOTHES, XGBOOST, ONNX = MODELS / "clothes", EXAMPLES / "wine-xgboost", EXAMPLES / "wine-scikit-learn"
USUAL = ("numpy", "pillow", "ai-edge-litert")


def onnx_of_images(folder: Path) -> Path:
    """The clothes model's manifest as if its only variant were for ONNX Runtime."""
    document: dict[str, Any] = json.loads((CLOTHES / "manifest.json").read_text("utf-8"))
    document["variants"] = [document["variants"][1] | {"runtimes": ["onnxruntime"]}]
    (folder / "manifest.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("folder", "name", "packages"),
    [
        (CLOTHES, "litert", ("numpy", "ai-edge-litert", "pillow")),
        (XGBOOST, "xgboost", ("xgboost-cpu",)),
        (ONNX, "onnxruntime", ("numpy", "onnxruntime")),
    ],
    ids=["clothes", "wine-xgboost", "wine-scikit-learn"],
)
def test_a_model_is_shipped_with_its_own_runtime(folder: Path, name: str, packages: tuple[str, ...]) -> None:
    assert runtimes.default_runtime(folder) == name
    assert runtimes.packages(name, folder) == packages
    order = BundleSpec(contract.load("aws"), target_of(contract.load("aws")), model=str(folder))
    assert (order.runtime, order.packages) == (name, packages)


def test_pillow_goes_with_images_alone(tmp_path: Path) -> None:
    assert runtimes.packages("onnxruntime", onnx_of_images(tmp_path)) == ("numpy", "onnxruntime", "pillow")


def test_every_runtime_of_the_core_can_be_shipped() -> None:
    assert set(runtimes.ENGINES) == set(runtime.MODULES)


def test_a_manifest_that_cannot_be_read_is_left_to_the_checks_that_follow(tmp_path: Path) -> None:
    assert runtimes.default_runtime(tmp_path) == "litert"
    assert runtimes.local_packages(tmp_path, USUAL) == USUAL


def test_a_tflite_model_gets_the_packages_that_the_cloud_lists() -> None:
    assert runtimes.local_packages(CLOTHES, USUAL) == USUAL


def test_the_runtime_that_the_user_asks_for_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_features(tmp_path, known.stump(), variant={"runtimes": ["xgboost", "litert"]})
    monkeypatch.setenv("TRIPOINT_RUNTIME", "litert")
    assert runtimes.local_packages(folder, USUAL) == USUAL


def test_a_runtime_that_is_not_installed_is_told_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "installed", lambda package: package != "xgboost")
    with pytest.raises(BundleError, match="pip install xgboost-cpu"):
        runtimes.local_packages(XGBOOST, USUAL)


def test_preflight_lets_direct_calls_take_vectors_of_floats(tmp_path: Path) -> None:
    (tmp_path / "tiny").mkdir()
    write_features(tmp_path / "tiny", known.stump(), variant={"runtimes": ["litert-direct"]})
    assert list(preflight.check_model(tmp_path, "litert-direct")) == []
    assert [found.refused for found in preflight.check_model(tmp_path, "onnxruntime")] == [True]


ASK = """
import json, os, pathlib, sys
import core
from core.service import Service
from core.wire import Request
service = Service.from_env(os.environ)
body = pathlib.Path(sys.argv[1]).read_bytes()
answer = service.infer(Request("POST", "/", {}, {"content-type": "application/json"}, body))
outside = [m.__file__ for m in list(sys.modules.values()) if "site-packages" in (getattr(m, "__file__", "") or "")]
assert not outside, outside
print(answer.body.decode())
"""


@pytest.mark.parametrize(
    ("model", "name", "absent", "most_mib"),
    [
        (XGBOOST, "xgboost", {"numpy", "scipy", "PIL", "ai_edge_litert", "onnxruntime"}, 40),
        (ONNX, "onnxruntime", {"PIL", "ai_edge_litert", "xgboost", "google", "flatbuffers"}, 160),
    ],
    ids=["wine-xgboost", "wine-scikit-learn"],
)
def test_a_local_bundle_answers_with_nothing_else_on_the_path(
    model: Path, name: str, absent: set[str], most_mib: int, tmp_path: Path
) -> None:
    if name not in runtime.usable():
        pytest.skip(f"{name} is not installed")
    folder = assemble(contract.load("aws"), folder=tmp_path / "bundle", model=str(model))
    assert not {path.name for path in folder.iterdir()} & absent
    assert preflight.unpacked_bytes(folder) < most_mib * 1024 * 1024
    done = subprocess.run(
        [sys.executable, "-S", "-c", ASK, str(model / "samples" / "wine-01.json")],
        env={"PYTHONPATH": str(folder), "TRIPOINT_LOG_LEVEL": "error", "PATH": os.defpath},
        capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["predictions"][0]["label"] == "cultivar 2"


def test_a_bundle_has_one_model_alone(tmp_path: Path) -> None:
    layout.copy_model(str(XGBOOST), tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["manifest.json", "wine.ubj"]
