"""The worked examples: what is committed is what their scripts make."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from core import runtime
from model.examples import agreement
from model.examples.clothes_onnx import manifest

EXAMPLES = Path(agreement.__file__).resolve().parent
SAMPLES = EXAMPLES.parent / "samples"
WINES = ("wine-xgboost", "wine-scikit-learn")


def needs(*packages: str) -> pytest.MarkDecorator:
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def run(*arguments: str | Path) -> str:
    """A process of its own: training and exporting import half of PyPI."""
    command = [sys.executable, "-W", "ignore", "-m", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, check=False, cwd=EXAMPLES.parents[1])
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@needs("xgboost", "sklearn", "skl2onnx", "onnxruntime")
@pytest.mark.timeout(300)
def test_the_wine_models_are_the_ones_that_their_script_makes(tmp_path: Path) -> None:
    said = run("model.examples.wine", tmp_path)
    for name in WINES:
        assert name in said
        files = sorted((EXAMPLES / name / "samples").glob("*.json"))
        found = agreement.compare(str(EXAMPLES / name), str(tmp_path / name), files)
        assert (found.files, found.same_label) == (12, 12)
        assert found.largest_difference < 0.02  # releases of XGBoost and scikit-learn differ a little
        made, kept = (json.loads((place / name / "manifest.json").read_text()) for place in (tmp_path, EXAMPLES))
        assert {**made, "variants": []} == {**kept, "variants": []}


@pytest.mark.skipif(not {"xgboost", "onnxruntime"} <= set(runtime.usable()), reason="a runtime is not installed")
def test_both_families_name_the_same_cultivars() -> None:
    files = sorted((EXAMPLES / WINES[0] / "samples").glob("*.json"))
    found = agreement.compare(str(EXAMPLES / WINES[0]), str(EXAMPLES / WINES[1]), files)
    assert (found.files, found.same_label) == (12, 12)


def test_a_file_that_a_model_refuses_is_named() -> None:
    if "xgboost" not in runtime.usable():
        pytest.skip("xgboost-cpu is not installed")
    photo, folder = SAMPLES / "hat-beige.jpg", EXAMPLES / "wine-xgboost"
    with pytest.raises(ValueError, match=r"hat-beige\.jpg: model wine-xgboost takes 13 features"):
        agreement.compare(str(folder), str(folder), [photo])


def test_an_export_is_fed_as_the_file_it_was_made_from() -> None:
    document = manifest(b"some bytes", layout="nchw")
    variants = document["variants"]
    assert isinstance(variants, list)
    assert [(each["layout"], each["preprocessing"], each["input_dtype"]) for each in variants] == [
        ("nchw", "tf", "float32")
    ]
    assert document["input"] == json.loads((EXAMPLES.parent / "clothes" / "manifest.json").read_text())["input"]


@needs("tf2onnx", "tensorflow", "onnxruntime")
@pytest.mark.timeout(300)
@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_the_clothes_model_as_onnx_gives_the_scores_of_its_tflite_file(layout: str, tmp_path: Path) -> None:
    run("model.examples.clothes_onnx", tmp_path / "onnx", "--layout", layout)
    said = run("model.examples.agreement", "clothes@float16", tmp_path / "onnx", *sorted(SAMPLES.glob("*.jpg")))
    assert said.startswith("12 of 12 files get the same label")
    assert float(said.split("differ by ")[1].split()[0]) < 1e-4
    shutil.rmtree(tmp_path / "onnx")
