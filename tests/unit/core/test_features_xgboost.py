"""XGBoost's library called directly: same answers as its own package, and what it refuses."""

from __future__ import annotations

import array
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from core import classifier, manifest, runtime
from core.errors import ModelError
from core.runtime import TensorSpec
from tests.kits.families import write_features
from tests.scripts import known_answer_xgboost as known

pytestmark = pytest.mark.skipif("xgboost" not in runtime.usable(), reason="xgboost-cpu is not installed")


def vector(*values: float) -> bytes:
    return array.array("f", values).tobytes()


def open_tiny(folder: Path, content: bytes, name: str = "tiny.json") -> Any:
    file = folder / name
    file.write_bytes(content)
    return runtime.module("xgboost").open_interpreter(file)


def test_the_known_answer_file_is_the_one_that_its_script_makes() -> None:
    assert known.FILE.read_bytes() == known.stump()


def test_the_runtime_is_fit_where_the_known_answer_comes_out_right(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import runtime_xgboost

    assert runtime_xgboost.unfit() is None
    monkeypatch.setattr(runtime_xgboost, "_KNOWN_OUTPUT", [0.5, 0.5])
    assert "the known answer [0.5, 0.5] came out as [0.2" in str(runtime_xgboost.unfit())


def test_a_package_without_its_library_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import runtime_xgboost

    for system in runtime_xgboost._LIBRARIES:
        monkeypatch.setitem(runtime_xgboost._LIBRARIES, system, "lib/nothing.so")
    runtime_xgboost._library.cache_clear()
    assert "does not work as declared" in str(runtime_xgboost.unfit())
    runtime_xgboost._library.cache_clear()


def test_a_stump_gives_what_can_be_worked_out_by_hand(tmp_path: Path) -> None:
    opened = open_tiny(tmp_path, known.stump(low=0.1, high=0.9))
    assert opened.input == TensorSpec((1, 1), "float32")
    assert opened.output == TensorSpec((1, 1), "float32")
    answers = [opened.run(vector(value))[0] for value in (0.0, 0.49, 0.5, 7.0, float("nan"))]
    assert answers == pytest.approx([0.1, 0.1, 0.9, 0.9, 0.1])


def test_early_stopping_leaves_the_later_trees_out(tmp_path: Path) -> None:
    trees = json.loads(known.stump(low=0.2, high=0.75))["learner"]["gradient_booster"]["model"]["trees"]
    stopped = known.document([*trees, *trees], attributes={"best_iteration": "0"})
    going = known.document([*trees, *trees])
    assert open_tiny(tmp_path, json.dumps(stopped).encode()).run(vector(1.0))[0] == pytest.approx(0.75)
    assert open_tiny(tmp_path, json.dumps(going).encode()).run(vector(1.0))[0] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"this is no model", "cannot be opened by XGBoost"),
        (b"", "cannot be opened by XGBoost"),
        (known.stump()[:200], "cannot be opened by XGBoost"),
        (b'{"learner": {}}', "cannot be opened by XGBoost"),
        (
            known.stump(objective="reg:squarederror"),
            "trained for reg:squarederror, expected multi:softprob",
        ),
        (known.stump(types=("c",), names=("a",)), "takes categories as they are"),
    ],
    ids=["text", "empty", "half", "no model", "regression", "categories"],
)
def test_a_file_that_cannot_be_served_is_named_with_the_cause(content: bytes, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=complaint) as raised:
        open_tiny(tmp_path, content)
    assert str(tmp_path / "tiny.json") in str(raised.value)
    assert "/src/" not in str(raised.value)
    assert "\n" not in str(raised.value)


def load(folder: Path) -> None:
    classifier.load(classifier.prepare(manifest.load(folder), wanted=None), interpreters=1)


def test_a_manifest_with_other_names_than_the_model_was_trained_on_is_refused(tmp_path: Path) -> None:
    folder = write_features(tmp_path, known.stump(names=("length",), types=("float",)))
    with pytest.raises(ModelError, match=r"trained on the features length, in this order; correct `input.features`"):
        load(folder)


def test_a_manifest_with_another_number_of_features_is_refused(tmp_path: Path) -> None:
    folder = write_features(tmp_path, known.stump(), input={"features": ["a", "b"]})
    with pytest.raises(ModelError, match=r"its input has the shape \[1, 1\], expected \[1, 2\]"):
        load(folder)


def test_two_lanes_answer_at_once_without_mixing(tmp_path: Path) -> None:
    lanes = [open_tiny(tmp_path, known.stump()) for _ in range(2)]
    wrong: list[float] = []

    def ask(lane: Any, value: float, expected: float) -> None:
        wrong.extend(value for _ in range(200) if abs(lane.run(vector(value))[0] - expected) > 1e-6)

    threads = [
        threading.Thread(target=ask, args=(lane, value, expected))
        for lane, value, expected in zip(lanes, (0.0, 1.0), (0.2, 0.75), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_missing_library_is_told_with_the_remedy(tmp_path: Path) -> None:
    found = manifest.load(write_features(tmp_path, known.stump()))
    with pytest.raises(ModelError, match="pip install xgboost-cpu"):
        runtime.choose(found, wanted=None, available=())


@pytest.mark.parametrize("suffix", ["json", "ubj"])
@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_those_of_xgboosts_own_package(suffix: str, classes: int, tmp_path: Path) -> None:
    xgboost = pytest.importorskip("xgboost", reason="the package without its numpy and scipy")
    import numpy as np

    random = np.random.default_rng(1)
    values = random.normal(size=(120, 4)).astype(np.float32)
    wanted = np.clip((values[:, 0] + values[:, 1] > 0).astype(int) + (values[:, 2] > 0.5), 0, classes - 1)
    values[::7, 3] = np.nan
    model = xgboost.XGBClassifier(n_estimators=5, max_depth=3, n_jobs=1).fit(values, wanted)
    file = tmp_path / f"model.{suffix}"
    model.save_model(file)
    opened = runtime.module("xgboost").open_interpreter(file)
    expected = model.predict_proba(values[:20])
    for row, probabilities in zip(values[:20], expected, strict=True):
        found = opened.run(row.tobytes())
        assert found == pytest.approx(list(probabilities[-len(found) :]), abs=1e-6)
