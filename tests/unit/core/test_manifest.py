"""Manifests: what is read, and how a wrong one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core import manifest
from core.errors import ModelError
from core.service import model_folder

VARIANT: dict[str, Any] = {
    "name": "int8",
    "file": "m.tflite",
    "sha256": "0" * 64,
    "input_dtype": "uint8",
    "preprocessing": "raw",
    "runtimes": ["litert"],
}
GOOD: dict[str, Any] = {
    "schema": 1,
    "name": "m",
    "version": "1.0.0",
    "title": "M",
    "labels": ["a", "b"],
    "input": {"height": 224, "width": 160, "resampling": "bilinear", "exif": "ignore", "draft": True},
    "output": "probabilities",
    "variants": [VARIANT],
    "validation": {"images": 10},
    "licence": "Apache-2.0",
}


def load(folder: Path, document: object) -> manifest.Manifest:
    (folder / "manifest.json").write_text(document if isinstance(document, str) else json.dumps(document))
    return manifest.load(folder)


def test_a_manifest_is_read_whole(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD)
    assert found.input == manifest.Input(224, 160, "bilinear", orient=False, draft=2.0)
    assert found.variants == (manifest.Variant("int8", tmp_path / "m.tflite", "0" * 64, "uint8", "raw", ("litert",)),)
    assert (found.name, found.labels, found.licence) == ("m", ("a", "b"), "Apache-2.0")


def test_exif_is_applied_and_nothing_drafted_unless_said(tmp_path: Path) -> None:
    found = load(tmp_path, GOOD | {"input": {"height": 1, "width": 1, "resampling": "nearest"}})
    assert found.input == manifest.Input(1, 1, "nearest", orient=True, draft=0.0)


@pytest.mark.parametrize(("mean", "expected"), [(1, (1.0, 1.0, 1.0)), ([1, 2.5, 3], (1.0, 2.5, 3.0))])
def test_mean_and_std_are_one_number_or_one_for_each_channel(mean: object, expected: object, tmp_path: Path) -> None:
    [found] = load(tmp_path, GOOD | variant(preprocessing="scaled", mean=mean, std=255, channels="bgr")).variants
    assert (found.mean, found.std, found.channels) == (expected, (255.0, 255.0, 255.0), "bgr")


def size(**changes: Any) -> dict[str, Any]:
    return {"input": GOOD["input"] | changes}


def variant(**changes: Any) -> dict[str, Any]:
    return {"variants": [VARIANT | changes]}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 2}, "schema is 2, expected 1"),
        ({"name": ""}, "name is '', expected a text"),
        ({"labels": []}, "labels is"),
        ({"labels": ["a", 1]}, "labels is"),
        ({"output": "scores"}, "output is 'scores', expected one of probabilities, logits"),
        ({"input": None}, "input is None, expected an object"),
        (size(height=0), "input.height is 0"),
        (size(height=True), "input.height is True"),
        (size(width=100_000), "input.width is 100000"),
        (size(resampling="magic"), "input.resampling is 'magic'"),
        (size(exif="maybe"), "input.exif is 'maybe'"),
        (size(draft="yes"), "input.draft is 'yes'"),
        (size(draft=0.4), "input.draft is 0.4, expected true, false, or a number from 0.5 to 8"),
        (size(draft=float("nan")), "input.draft is nan"),
        (size(resampling="nearest"), "input.draft is 2.0, expected false"),
        ({"variants": []}, "variants is"),
        ({"variants": [7]}, r"variants\[0\] is 7, expected an object"),
        (variant(file="../m.tflite"), r"variants\[0\].file"),
        (variant(file="/etc/passwd"), r"variants\[0\].file"),
        (variant(sha256="abc"), "64 lower-case hexadecimal digits"),
        (variant(input_dtype="float64"), "input_dtype"),
        (variant(preprocessing="vgg"), "preprocessing"),
        (variant(input_dtype="int8"), "suits int8"),
        (variant(input_dtype="float32", preprocessing="quantised"), "suits float32"),
        (variant(runtimes=["onnx"]), "runtimes"),
        (variant(runtimes="litert"), "runtimes"),
        (variant(mean=0, std=255), r"mean is 0, expected none with raw, or preprocessing \"scaled\""),
        (variant(preprocessing="scaled", std=255), "mean is None, expected a number, or three"),
        (variant(preprocessing="scaled", mean=0, std=0), "std is 0"),
        (variant(preprocessing="scaled", mean=0, std=float("nan")), "std is nan"),
        (variant(preprocessing="scaled", mean=[1, 2], std=255), r"mean is \[1, 2\]"),
        (variant(preprocessing="scaled", mean=True, std=255), "mean is True"),
        (variant(channels="grb"), "channels is 'grb', expected one of rgb, bgr"),
        (variant(preprocessing="caffe", channels="bgr"), "caffe preprocessing takes blue first by itself"),
    ],
)
def test_a_wrong_manifest_is_told_by_file_place_value_and_expectation(
    change: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=complaint) as raised:
        load(tmp_path, GOOD | change)
    assert str(tmp_path / "manifest.json") in str(raised.value)
    assert "correct the manifest" in str(raised.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_what_is_no_json_object_is_told(text: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="correct the manifest"):
        load(tmp_path, text)


def test_a_missing_manifest_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="set TRIPOINT_MODEL to a folder"):
        manifest.load(tmp_path / "nothing")


def test_a_missing_model_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"m\.tflite cannot be read"):
        manifest.FileCheck(load(tmp_path, GOOD).variants[0]).finish()


def test_a_model_is_named_or_given_as_a_path() -> None:
    assert model_folder("clothes", Path("/models")) == Path("/models/clothes")
    assert model_folder("/elsewhere/mine", Path("/models")) == Path("/elsewhere/mine")
    assert model_folder("./mine", Path("/models")) == Path("mine")


@pytest.mark.parametrize(("draft", "factor"), [(True, 2.0), (False, 0.0), (0.85, 0.85), (1, 1.0)])
def test_draft_is_a_switch_or_the_least_size_relative_to_the_input(
    draft: object, factor: float, tmp_path: Path
) -> None:
    assert load(tmp_path, GOOD | size(draft=draft)).input.draft == factor
