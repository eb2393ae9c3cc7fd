"""A Keras file given to `tripoint model add`: converted where TensorFlow is, refused with the next step where not."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kits import registry as kit
from tests.paths import ROOT

HAS_TENSORFLOW = importlib.util.find_spec("tensorflow") is not None
MAKE = """
import sys, keras
image = keras.Input((8, 8, 3))
scaled = keras.layers.Rescaling(1 / 255)(image)
scores = keras.layers.Softmax()(keras.layers.GlobalAveragePooling2D()(scaled))
keras.Model(image, scores).save(sys.argv[1])
"""


def tripoint(*words: str, models: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "TRIPOINT_MODELS": str(models), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.skipif(HAS_TENSORFLOW, reason="TensorFlow is installed")
def test_without_tensorflow_the_extra_to_install_is_named(tmp_path: Path) -> None:
    (tmp_path / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    done = tripoint("model", "add", str(tmp_path / "net.h5"), "--labels", "a,b", models=tmp_path / "models")
    assert done.returncode == 2
    assert "pip install 'tripoint[convert]'" in done.stderr
    assert not list((tmp_path / "models").iterdir())


@pytest.mark.timeout(600)
@pytest.mark.skipif(not HAS_TENSORFLOW, reason="TensorFlow is not installed (the extra convert)")
def test_a_keras_model_that_scales_its_input_needs_its_labels_only(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", MAKE, str(tmp_path / "net.keras")], check=True, timeout=200)
    models, green = tmp_path / "models", kit.write_picture(tmp_path, "green")
    labels = ",".join(kit.COLOURS)
    added = tripoint("model", "add", str(tmp_path / "net.keras"), "--labels", labels, models=models)
    assert added.returncode == 0, added.stderr
    assert "float32 input, preprocessing raw, output probabilities" in added.stdout
    assert json.loads((models / "net" / "manifest.json").read_text())["source"]["file"] == "net.keras"
    said = tripoint("predict", "--model", "net", "--json", str(green), models=models)
    best = json.loads(said.stdout)["predictions"][0]
    assert best["label"] == "green"
    assert best["score"] == pytest.approx(1 / (1 + 2 * math.exp(-160 / 255)), abs=1e-5)
