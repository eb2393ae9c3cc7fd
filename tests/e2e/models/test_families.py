"""Models of other families on the three local clouds: ONNX, XGBoost and scikit-learn, byte for byte the same."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions
from core import runtime
from core.settings import MODELS
from tests.kits.core import encoded, picture
from tests.kits.families import COLOURS, mean_colour, write_images

if TYPE_CHECKING:
    from adapters.emulator.clouds import LocalCloud

pytestmark = [pytest.mark.timeout(300)]
EXAMPLES, SAMPLES = MODELS / "examples", MODELS / "samples"
ROOT = MODELS.parent
JSON = "application/json"
PATIENCE_S = 120  # Lambda ends an initialisation after 10 s, which a busy test machine may take


@contextlib.contextmanager
def serving(model: Path, name: str) -> Iterator[dict[str, LocalCloud]]:
    """The three local clouds with one model."""
    if name not in runtime.usable():
        pytest.skip(f"{name} is not installed")
    patient = EmulatorOptions(model=str(model), init_timeout_s=PATIENCE_S, timeout_s=PATIENCE_S)
    with clouds.start(contract.clouds(), patient) as running:
        yield running


def ask(running: dict[str, LocalCloud], body: bytes, kind: str) -> dict[str, tuple[int, dict[str, Any], bytes]]:
    """Status, document and the bytes of what every cloud decides alike: the predictions, or the error."""
    found = {}
    for name, local in running.items():
        answer = requests.post(local.url, data=body, headers={"content-type": kind}, timeout=PATIENCE_S)
        document = answer.json()
        part = {key: document[key] for key in ("predictions", "error") if key in document}
        found[name] = (answer.status_code, document, json.dumps(part).encode())
    return found


def same(found: dict[str, tuple[int, dict[str, Any], bytes]]) -> tuple[int, dict[str, Any]]:
    """The one answer of all clouds."""
    assert set(found) == set(contract.clouds())
    assert len({(status, part) for status, _, part in found.values()}) == 1, found
    status, document, _ = next(iter(found.values()))
    return status, document


@pytest.mark.parametrize(("folder", "name"), [("wine-xgboost", "xgboost"), ("wine-scikit-learn", "onnxruntime")])
def test_a_model_of_features_answers_alike_on_every_cloud(folder: str, name: str) -> None:
    model = EXAMPLES / folder
    labels: dict[str, int] = defaultdict(int)
    with serving(model, name) as running:
        for file in sorted((model / "samples").glob("*.json")):
            status, document = same(ask(running, file.read_bytes(), JSON))
            assert (status, document["model"]["runtime"], document["model"]["name"]) == (200, name, folder)
            labels[document["predictions"][0]["label"]] += 1
            values = [*json.loads(file.read_bytes())["features"].values()]
            in_order = same(ask(running, json.dumps({"features": values}).encode(), JSON))
            assert in_order[1]["predictions"] == document["predictions"]
        status, document = same(ask(running, (SAMPLES / "hat-beige.jpg").read_bytes(), "image/jpeg"))
        assert (status, document["error"]["code"]) == (400, "wrong_input")
        status, document = same(ask(running, json.dumps({"features": [1, 2]}).encode(), JSON))
        assert (status, document["error"]["code"]) == (400, "bad_field")
        for local in running.values():
            described = requests.get(f"{local.url.rstrip('/')}/model", timeout=PATIENCE_S).json()
            assert described["input"]["features"][0] == "alcohol"
    assert len(labels) == 3
    assert sum(labels.values()) == 12


def test_a_model_of_images_in_onnx_answers_alike_on_every_cloud(tmp_path: Path) -> None:
    """A network too small to be wrong: the mean of each colour, from planes as PyTorch's exports take them."""
    pytest.importorskip("onnx", reason="onnx is not installed")
    model = write_images(tmp_path, mean_colour("nchw", batch="N"), variant={"layout": "nchw"})
    with serving(model, "onnxruntime") as running:
        for size in ((6, 4), (60, 40)):
            image = picture(size=size)
            status, document = same(ask(running, encoded(image), "image/png"))
            assert (status, document["model"]["runtime"]) == (200, "onnxruntime")
            assert {one["label"] for one in document["predictions"]} == set(COLOURS)
        status, document = same(ask(running, b'{"features": [1, 2, 3]}', JSON))
        assert (status, document["error"]["code"]) == (400, "wrong_input")


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("tensorflow", "tf2onnx")),
    reason="the export needs tensorflow and tf2onnx: pip install 'tripoint[convert]'",
)
def test_the_clothes_model_as_onnx_answers_alike_on_every_cloud(tmp_path: Path) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "model.examples.clothes_onnx", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=200)
    known = json.loads((SAMPLES / "labels.json").read_text("utf-8"))
    with serving(tmp_path, "onnxruntime") as running:
        for file in sorted(SAMPLES.glob("*.jpg")):
            status, document = same(ask(running, file.read_bytes(), "image/jpeg"))
            assert status == 200
            assert document["predictions"][0]["label"] == known[file.name]
