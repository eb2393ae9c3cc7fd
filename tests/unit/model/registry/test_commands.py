"""`tripoint model add|list|show|remove|pull` as they are typed, with real trials of a tiny model on every runtime."""

from __future__ import annotations

import hashlib
import json
import math
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.bundle import model_lookup
from core import runtime
from model.registry import catalogue, trial
from tests.kits import registry as kit
from tests.kits.cli import Caller, Ended

COLOURS = ",".join(kit.COLOURS)
NO_KERNEL = 180  # schema.fbs: an operator of StableHLO, which TFLite files may name and no interpreter here has
needs_onnx = pytest.mark.skipif(
    not (runtime.installed("onnxruntime") and runtime.installed("onnx")),
    reason="needs onnxruntime, and onnx to make files",
)
needs_litert = pytest.mark.skipif("litert" not in runtime.usable(), reason="ai-edge-litert is not installed")
pytestmark = needs_litert


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Caller:
    return Caller(monkeypatch, capsys)


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """An empty folder for registered models, and nobody to ask."""
    monkeypatch.setenv("TRIPOINT_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    if "every_runtime" not in request.node.name:  # each takes a process and half a second
        real = trial.candidates
        monkeypatch.setattr(trial, "candidates", lambda file: real(file)[:1])
    return tmp_path / "models"


def write(folder: Path, name: str = "colours.tflite", **changes: Any) -> str:
    (folder / name).write_bytes(kit.model(**changes))
    return str(folder / name)


def document(models: Path, name: str = "colours") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((models / name / "manifest.json").read_text())
    return found


UINT8: dict[str, Any] = {"stored": kit.UINT8, "scale": 1 / 255, "quantised_output": True}


def test_a_model_is_tried_on_every_runtime_and_registered(call: Caller, models: Path, tmp_path: Path) -> None:
    green = kit.write_picture(tmp_path, "green")
    ended = call("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS, "--image", str(green))
    assert ended.code == 0, ended.err
    assert "colours: 3 labels, 8 x 8 px, uint8 input, preprocessing raw, output probabilities" in ended.out
    assert "green.png: green 0.4" in ended.out
    assert f"Registered in {models / 'colours'}. Try: tripoint compare --model colours" in ended.out
    [variant] = document(models)["variants"]
    content = (models / "colours" / variant["file"]).read_bytes()
    assert variant["sha256"] == hashlib.sha256(content).hexdigest()
    assert set(variant["runtimes"]) == set(trial.candidates(Path("model.tflite")))
    assert [path.name for path in models.iterdir()] == ["colours"]


def chance(difference: float) -> float:
    """What softmax gives the one of three scores that is greater than the two others by `difference`."""
    return 1 / (1 + 2 * math.exp(-difference))


def best_of(ended: Ended) -> tuple[str, float]:
    """The best label of one prediction, and its score."""
    first = json.loads(ended.out.splitlines()[-1])["predictions"][0]
    return str(first["label"]), float(first["score"])


def test_a_registered_model_is_predicted_with_by_name(call: Caller, tmp_path: Path) -> None:
    assert call("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS, "--json").code == 0
    for colour in kit.COLOURS:
        label, score = best_of(
            call("predict", "--model", "colours", "--json", str(kit.write_picture(tmp_path, colour)))
        )
        assert label == colour
        assert score == pytest.approx(chance(160 / 255), abs=1 / 256)


@pytest.mark.parametrize(
    ("changes", "words", "colour", "difference"),
    [
        # How far 220 is above 60 once they are scaled.
        ({}, ["--preprocessing", "unit"], "blue", 160 / 255),
        ({}, ["--preprocessing", "tf"], "blue", 160 / 127.5),
        ({}, ["--mean", "0", "--std", "85"], "red", 160 / 85),
        ({"scaled_by": 1 / 255}, [], "green", 160 / 255),
        ({"shape": (1, 3, 8, 8)}, ["--preprocessing", "unit"], "green", 160 / 255),
        ({"signature": (-1, 8, 8, 3)}, ["--preset", "mobilenet_v2"], "red", 160 / 127.5),
    ],
)
def test_the_pixels_are_fed_as_said_or_inferred(
    changes: dict[str, Any], words: list[str], colour: str, difference: float, call: Caller, tmp_path: Path
) -> None:
    image = str(kit.write_picture(tmp_path, colour))
    added = call("model", "add", write(tmp_path, **changes), "--labels", COLOURS, "--image", image, *words)
    assert added.code == 0, added.err
    label, score = best_of(call("predict", "--model", "colours", "--json", image))
    assert label == colour
    assert score == pytest.approx(chance(difference), abs=1e-5)


def test_a_model_that_takes_blue_first_calls_red_red(call: Caller, tmp_path: Path) -> None:
    red = str(kit.write_picture(tmp_path, "red"))
    words = ["--labels", "blue,green,red", "--preprocessing", "unit", "--channels", "bgr"]
    assert call("model", "add", write(tmp_path), *words).code == 0
    assert best_of(call("predict", "--model", "colours", "--json", red))[0] == "red"


def test_one_sigmoid_serves_two_classes(call: Caller, models: Path, tmp_path: Path) -> None:
    """As Keras makes a cats-and-dogs classifier: one score, that of the second class."""
    file = write(tmp_path, "pets.tflite", weights=((-8.0, 0.0, 8.0),), ending=kit.LOGISTIC)
    added = call("model", "add", file, "--labels", "cat,dog", "--preprocessing", "unit")
    assert added.code == 0, added.err
    assert document(models, "pets")["output"] == "probabilities"
    for colour, label in (("red", "cat"), ("blue", "dog")):
        ended = call("predict", "--model", "pets", "--json", str(kit.write_picture(tmp_path, colour)))
        found = {each["label"]: each["score"] for each in json.loads(ended.out)["predictions"]}
        assert found[label] == pytest.approx(1 / (1 + math.exp(-8 * 160 / 255)), abs=1e-5)
        assert sum(found.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "expected"), [({"ending": None}, "logits"), ({"ending": kit.SOFTMAX}, "probabilities")]
)
def test_scores_are_called_what_they_are(
    changes: dict[str, Any], expected: str, call: Caller, models: Path, tmp_path: Path
) -> None:
    assert call("model", "add", write(tmp_path, **changes), "--labels", COLOURS, "--preset", "torch").code == 0
    assert document(models)["output"] == expected


def test_an_embedded_description_leaves_nothing_to_ask(call: Caller, models: Path, tmp_path: Path) -> None:
    described = kit.description(title="Colours", licence="CC0", mean=[0.0], std=[255.0], labels_file="l.txt")
    file = write(tmp_path, metadata=described, packed=(("l.txt", "\n".join(kit.COLOURS)),))
    assert call("model", "add", file).code == 0
    found = document(models)
    assert (found["title"], found["licence"], tuple(found["labels"])) == ("Colours", "CC0", kit.COLOURS)


def test_what_is_not_known_names_its_flag_and_shows_what_each_answer_would_give(call: Caller, tmp_path: Path) -> None:
    file, image = write(tmp_path), str(kit.write_picture(tmp_path, "green"))
    assert "--labels FILE" in call("model", "add", file).err
    ended = call("model", "add", file, "--labels", COLOURS, "--image", image)
    assert ended.code == 2
    assert "does not say how pixels become its float32 input: say it with --preprocessing" in ended.err
    assert "With each of them it says of green.png: tf: green 0.637; unit: green 0.484; raw: green 1.000" in ended.err


def test_on_a_terminal_the_questions_are_asked(
    call: Caller, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([COLOURS, "unit", "y"])
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": next(answers))
    ended = call("model", "add", write(tmp_path))
    assert ended.code == 0, ended.err
    assert document(models)["variants"][0]["std"] == 255.0
    assert next(answers, None) is None, "every question was asked"


def test_a_no_at_the_end_registers_nothing(
    call: Caller, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda prompt="": "n")
    assert call("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS).code == 130
    assert list(models.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["nowhere.tflite"], "there is no file 'nowhere.tflite'"),
        (["FILE", "--labels", "a,b"], "gives 3 scores and there are 2 labels: it may count a background class"),
        (["FILE", "--labels", "a,b,c,d"], "4 labels: the labels may name a background class first"),
        (["FILE", "--labels", "a,b,c", "--name", "clothes"], "belongs to Tripoint itself"),
        (["FILE", "--labels", "a,b,c", "--input-size", "9"], "takes images of 8 x 8 px"),
        (["FILE", "--labels", "a,b,c", "--input-size", "x"], "expected a side in px"),
        (["FILE", "--mean", "1"], "--mean and --std go together"),
        (["FILE", "--mean", "1", "--std", "0"], "expected one number above 0"),
        (["FILE", "--mean", "1", "--std", "1", "--preset", "vgg"], "--preset and --mean say the same thing"),
        (["FILE", "--image", "nowhere.png"], "--image 'nowhere.png' is not a file"),
        (["FILE", "--preset", "vgg99"], "vgg99"),
        (["FILE", "--draft", "2", "--resampling", "nearest"], "--draft and --resampling nearest"),
    ],
)
def test_wrong_use_names_the_value_and_the_way_out_and_leaves_nothing(
    words: list[str], complaint: str, call: Caller, models: Path, tmp_path: Path
) -> None:
    file = write(tmp_path, **UINT8)
    ended = call("model", "add", *(file if word == "FILE" else word for word in words))
    assert (ended.code, ended.out) == (2, "")
    assert complaint in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not models.exists() or not list(models.iterdir())


def test_a_background_class_can_be_added_and_dropped(call: Caller, models: Path, tmp_path: Path) -> None:
    file = write(tmp_path, **UINT8)
    assert call("model", "add", file, "--labels", "green,blue", "--background").code == 0
    assert document(models)["labels"] == ["background", "green", "blue"]
    words = ("--labels", f"???,{COLOURS}", "--no-background", "--replace")
    assert call("model", "add", file, *words).code == 0
    assert document(models)["labels"] == list(kit.COLOURS)


def test_a_model_that_no_runtime_can_open_says_what_each_of_them_says(
    call: Caller, models: Path, tmp_path: Path
) -> None:
    file = write(tmp_path, ending=NO_KERNEL)
    ended = call("model", "add", file, "--labels", COLOURS, "--preset", "torch")
    assert ended.code == 2
    assert "runs on no runtime that is installed here: litert-direct: " in ended.err
    assert list(models.iterdir()) == []


def test_a_name_is_not_given_twice_unless_asked(call: Caller, tmp_path: Path) -> None:
    words = ("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS)
    assert call(*words).code == 0
    ended = call(*words)
    assert ended.code == 2
    assert "there is a model colours already" in ended.err
    assert call(*words, "--replace").code == 0


def test_models_are_listed_shown_and_removed(call: Caller, models: Path, tmp_path: Path) -> None:
    assert call("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS, "--licence", "CC0").code == 0
    listed = [json.loads(line) for line in call("model", "list", "--json").out.splitlines()]
    assert [(each["name"], each["built_in"], each["labels"]) for each in listed] == [
        ("clothes", True, 10),
        ("colours", False, 3),
    ]
    assert "colours" in call("model", "list").out
    shown = json.loads(call("model", "show", "colours", "--json").out)
    assert shown["intact"] == {"colours.tflite": True}
    assert shown["manifest"]["source"]["file"] == "colours.tflite"
    assert "licence: CC0" in call("model", "show", "colours").out
    assert "say --yes" in call("model", "remove", "colours").err
    assert call("model", "remove", "colours", "--yes").code == 0
    assert list(models.iterdir()) == []
    assert "built in and stays" in call("model", "remove", "clothes", "--yes").err
    assert "expected one of clothes" in call("model", "remove", "colours", "--yes").err


def test_a_changed_file_is_no_longer_intact(call: Caller, models: Path, tmp_path: Path) -> None:
    assert call("model", "add", write(tmp_path, **UINT8), "--labels", COLOURS).code == 0
    with (models / "colours" / "colours.tflite").open("ab") as file:
        file.write(b"x")
    ended = call("model", "show", "colours")
    assert ended.code == 1
    assert "NOT the file of the manifest" in ended.out
    assert "its manifest says" in call("predict", "--model", "colours", "model/samples/hat-beige.jpg").err


def test_a_folder_with_a_manifest_is_taken_over_under_a_name(call: Caller, models: Path) -> None:
    built_in = model_lookup.find("clothes")
    assert "belongs to Tripoint itself" in call("model", "add", str(built_in)).err
    assert "which says all of it" in call("model", "add", str(built_in), "--name", "x", "--preset", "vgg").err
    ended = call("model", "add", str(built_in), "--name", "mine")
    assert ended.code == 0, ended.err
    assert "hat-beige.jpg: hat 0." in ended.out
    assert document(models, "mine")["variants"] == json.loads((built_in / "manifest.json").read_text())["variants"]
    assert all(json.loads(call("model", "show", "mine", "--json").out)["intact"].values())


def test_a_folder_without_its_files_or_with_other_ones_is_refused(call: Caller, models: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    manifest = json.loads((model_lookup.find("clothes") / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "cannot be taken over" in call("model", "add", str(folder), "--name", "mine").err
    for variant in manifest["variants"]:
        (folder / variant["file"]).write_bytes(kit.model())
    assert "its manifest says" in call("model", "add", str(folder), "--name", "mine").err
    assert list(models.iterdir()) == []


@needs_onnx
@pytest.mark.parametrize("shape", [(1, 3, 8, 8), ("batch", 3, 8, 8), (1, 8, 8, 3)])
def test_an_onnx_file_is_registered_alike(
    shape: tuple[int | str, ...], call: Caller, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "colours.onnx").write_bytes(kit.onnx_model(shape))
    words = ("--labels", COLOURS, "--preprocessing", "unit")
    added = call("model", "add", str(tmp_path / "colours.onnx"), *words)
    assert added.code == 0, added.err
    found = document(models)
    assert (found["variants"][0]["runtimes"], found["output"]) == (["onnxruntime"], "probabilities")
    assert found["variants"][0].get("layout", "nhwc") == ("nchw" if shape[1] == 3 else "nhwc")
    label, score = best_of(call("predict", "--model", "colours", "--json", str(kit.write_picture(tmp_path, "green"))))
    assert label == "green"
    assert score == pytest.approx(chance(160 / 255), abs=1e-5)


@needs_onnx
@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"nothing of the kind", "cannot be opened by onnxruntime"),
        (("batch", 3, "height", 8), "convert it with fixed sizes"),
        ((1, 3), "expected an image"),
    ],
)
def test_an_onnx_file_that_is_no_image_classifier_is_refused(
    data: Any, complaint: str, call: Caller, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "m.onnx").write_bytes(data if isinstance(data, bytes) else kit.onnx_model(data))
    ended = call("model", "add", str(tmp_path / "m.onnx"), "--labels", COLOURS, "--preprocessing", "unit")
    assert ended.code == 2
    assert complaint in ended.err
    assert list(models.iterdir()) == []


@pytest.mark.skipif("xgboost" not in runtime.usable(), reason="xgboost-cpu is not installed")
def test_a_model_of_feature_vectors_gets_a_name_too(call: Caller) -> None:
    folder = model_lookup.BUILT_IN / "examples" / "wine-xgboost"
    added = call("model", "add", str(folder))
    assert added.code == 0, added.err
    assert "13 features" in call("model", "list").out
    sample = str(min((folder / "samples").glob("*.json")))
    assert best_of(call("predict", "--model", "wine-xgboost", "--json", sample))[0].startswith("cultivar")


@pytest.fixture
def offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of one's own with the tiny model in it; nothing answers at its address."""
    data = kit.model(**UINT8)
    (tmp_path / "tiny.tflite").write_bytes(data)
    lines = [
        "[tiny]",
        'title = "Three colours"',
        'licence = "CC0"',
        'page = "https://example.com"',
        'url = "http://127.0.0.1:9/tiny.tflite"',
        f'sha256 = "{hashlib.sha256(data).hexdigest()}"',
        f"bytes = {len(data)}",
        f'answers = {{ labels = "{COLOURS}" }}',
    ]
    (tmp_path / "mine.toml").write_text("\n".join(lines))
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path / "mine.toml"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return tmp_path / "tiny.tflite"


def test_an_offer_is_registered_from_a_file_fetched_by_other_means(call: Caller, offered: Path, models: Path) -> None:
    ended = call("model", "pull", "tiny", "--from", str(offered))
    assert ended.code == 0, ended.err
    found = document(models, "tiny")
    assert (found["title"], found["licence"]) == ("Three colours", "CC0")
    assert found["source"]["url"] == "http://127.0.0.1:9/tiny.tflite"


def test_an_offer_that_cannot_be_reached_names_the_ways_out(call: Caller, offered: Path, models: Path) -> None:
    ended = call("model", "pull", "tiny")
    assert (ended.code, ended.out) == (2, "")
    assert "127.0.0.1 cannot be reached" in ended.err
    assert "--from FILE" in ended.err


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[str]:
    """The address of a web server of this machine that gives the files of `tmp_path`."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_an_offer_is_fetched_with_its_labels_confirmed_once_and_registered(
    call: Caller, models: Path, tmp_path: Path, shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, labels = kit.model(**UINT8), "\n".join(kit.COLOURS).encode()
    (tmp_path / "net.tflite").write_bytes(data)
    (tmp_path / "labels.txt").write_bytes(labels)
    addresses = f'url = "{shared}/net.tflite"\nlabels_url = "{shared}/labels.txt"'
    digest = hashlib.sha256(labels).hexdigest()
    (tmp_path / "mine.toml").write_text(
        f'[net]\ntitle = "T"\nlicence = "L"\npage = "P"\n{addresses}\nlabels_sha256 = "{digest}"\n'
    )
    monkeypatch.setenv(catalogue.VARIABLE, str(tmp_path / "mine.toml"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    found = hashlib.sha256(data).hexdigest()
    assert f"say --accept-sha256 {found}" in call("model", "pull", "net").err
    ended = call("model", "pull", "net", "--accept-sha256", found)
    assert ended.code == 0, ended.err
    assert document(models, "net")["labels"] == list(kit.COLOURS)
    assert sorted(each.name for each in models.iterdir() if not each.name.startswith(".")) == ["net", "pins.json"]
    assert not list((models / ".downloads").iterdir()), "what was fetched is not kept twice"
    (tmp_path / "net.tflite").write_bytes(data + b"x")
    assert f"accepted was {found}" in call("model", "pull", "net", "--replace").err


def test_the_offers_are_listed(call: Caller, offered: Path) -> None:
    assert "clothes-xception" in call("model", "pull").out
    assert "tiny" in [json.loads(line)["name"] for line in call("model", "pull", "--json").out.splitlines()]
    assert "expected one of" in call("model", "pull", "nothing").err
