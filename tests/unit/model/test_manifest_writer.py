"""The built-in model: its manifest, its files, its measured accuracy and its card agree."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from loadtests.stats.proportion import Proportion, wilson
from model.manifest_writer import KINDS, describe_variant, manifest, write_manifest
from model.training.accuracy import by_class, scores
from model.training.dataset import read_split
from model.training.export import scaled
from tests.paths import ROOT

FOLDER = ROOT / "model" / "clothes"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text(encoding="utf-8"))
EVALUATION = json.loads((FOLDER / "evaluation.json").read_text(encoding="utf-8"))
VARIANTS = {variant["name"]: variant for variant in MANIFEST["variants"]}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_file_is_the_one_that_the_manifest_names(name: str) -> None:
    content = (FOLDER / VARIANTS[name]["file"]).read_bytes()
    assert len(content) == VARIANTS[name]["bytes"]
    assert hashlib.sha256(content).hexdigest() == VARIANTS[name]["sha256"]


def test_the_files_are_small() -> None:
    sizes = {name: variant["bytes"] for name, variant in VARIANTS.items()}
    assert sizes["int8"] <= 4_000_000
    assert sum(sizes.values()) < 10_000_000
    assert {file.name for file in FOLDER.glob("*.tflite")} == {variant["file"] for variant in VARIANTS.values()}


@pytest.mark.parametrize("name", VARIANTS)
def test_each_file_takes_and_gives_what_the_manifest_says(name: str) -> None:
    interpreter = Interpreter(str(FOLDER / VARIANTS[name]["file"]))
    entry, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    side = MANIFEST["input"]["height"]
    assert entry["shape"].tolist() == [1, side, side, 3]
    assert np.dtype(entry["dtype"]).name == VARIANTS[name]["input_dtype"]
    assert answer["shape"].tolist() == [1, len(MANIFEST["labels"])]
    assert np.dtype(answer["dtype"]) == np.float32


def test_raw_bytes_pass_unchanged_into_the_quantised_file() -> None:
    interpreter = Interpreter(str(FOLDER / VARIANTS["int8"]["file"]))
    scale, zero_point = interpreter.get_input_details()[0]["quantization"]
    assert scale == pytest.approx(1 / 127.5, rel=1e-5)
    assert zero_point in (127, 128)


@pytest.mark.parametrize("name", VARIANTS)
def test_the_answers_are_probabilities(name: str) -> None:
    side = MANIFEST["input"]["height"]
    grey = np.random.default_rng(3).integers(0, 256, (2, side, side, 3), np.uint8)
    found = scores(FOLDER / VARIANTS[name]["file"], grey if name == "int8" else scaled(grey))
    assert found.sum(axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert np.min(found) >= 0


def test_the_accuracy_is_that_of_the_confusion_with_its_interval() -> None:
    for name, variant in VARIANTS.items():
        counts = np.array(EVALUATION[name]["confusion"])
        assert counts.sum() == EVALUATION["images"] == MANIFEST["validation"]["images"]
        assert variant["validation_accuracy"] == round(counts.trace() / counts.sum(), 4)
        rows = by_class(counts, EVALUATION["labels"])
        assert [row["recall"]["value"] for row in EVALUATION[name]["by_class"]] == [row.recall.value for row in rows]
    preferred = np.array(EVALUATION[MANIFEST["variants"][0]["name"]]["confusion"])
    expected = wilson(int(preferred.trace()), int(preferred.sum()))
    found = MANIFEST["validation"]
    assert (found["accuracy"], found["lo"], found["hi"]) == tuple(
        round(value, 4) for value in (expected.value, expected.lo, expected.hi)
    )
    assert found["accuracy"] >= 0.80


def test_labels_agree_everywhere() -> None:
    assert MANIFEST["labels"] == sorted(MANIFEST["labels"]) == EVALUATION["labels"]
    assert len(MANIFEST["labels"]) == 10


def test_the_card_gives_the_measured_figures() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    found = MANIFEST["validation"]
    for share in (found["accuracy"], found["lo"], found["hi"], VARIANTS["float16"]["validation_accuracy"]):
        assert f"{share:.3f}" in card
    for row in EVALUATION["int8"]["by_class"]:
        assert f"| {row['label']} | {row['photos']} | {row['recall']['value']:.2f} |" in card


@pytest.mark.parametrize("name", VARIANTS)
def test_the_stated_accuracy_is_measured_again_on_the_validation_photographs(name: str, data_folder: Path) -> None:
    photos = read_split(data_folder / "clothes" / "validation", MANIFEST["labels"], size=MANIFEST["input"]["height"])
    found = scores(FOLDER / VARIANTS[name]["file"], photos.images if name == "int8" else scaled(photos.images))
    accuracy = float((found.argmax(axis=1) == photos.classes).mean())
    # Kernels differ between processors: a photograph or two may fall to the other side.
    assert accuracy == pytest.approx(VARIANTS[name]["validation_accuracy"], abs=2.1 / len(photos))


def test_a_manifest_is_written_from_files_and_figures(tmp_path: Path) -> None:
    (tmp_path / "two-int8.tflite").write_bytes(b"content")
    variant = describe_variant("int8", tmp_path / "two-int8.tflite", accuracy=0.91234)
    document = manifest(
        identity=("two", "1.2.3", "Cats and dogs"),
        labels=("cat", "dog"),
        size=96,
        draft=False,
        variants=[variant],
        validation=Proportion(0.91234, 0.85, 0.95, 80),
        training={"seed": 4},
    )
    write_manifest(document, tmp_path / "manifest.json")
    found = json.loads((tmp_path / "manifest.json").read_text())
    assert found["variants"][0] == {
        "name": "int8",
        "file": "two-int8.tflite",
        "sha256": hashlib.sha256(b"content").hexdigest(),
        "bytes": 7,
        "input_dtype": "uint8",
        "preprocessing": "raw",
        "runtimes": ["litert-direct", "litert"],
        "validation_accuracy": 0.9123,
    }
    assert found["input"] == {"height": 96, "width": 96, "resampling": "bilinear", "exif": "apply", "draft": False}
    assert (found["name"], found["version"], found["validation"]["images"]) == ("two", "1.2.3", 80)


def test_every_kind_of_variant_is_made_for_some_runtime() -> None:
    assert {runtime for _, _, runtimes in KINDS.values() for runtime in runtimes} == {
        "litert-direct",
        "litert",
        "tflite-runtime",
    }
