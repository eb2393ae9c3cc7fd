"""How a model is fed: by what was said, else by what the file tells, else by a question."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.bundle.model_lookup import RegistryError
from cli.commands.model.add import command as add
from core import manifest
from model.registry import normalisation
from model.registry.description import Answers, describe, inspect
from model.registry.errors import MissingAnswers
from model.registry.graph import Tensor
from model.registry.normalisation import KNOWN, PRESETS
from tests.kits import registry as kit

RGB = Answers(labels="red,green,blue")


def described(folder: Path, answers: Answers = RGB, **changes: Any) -> dict[str, Any]:
    """The manifest of a made model, as the core reads it."""
    file = folder / "model.tflite"
    file.write_bytes(kit.model(**changes))
    document = describe(inspect(file), answers, name="colours")
    (folder / "manifest.json").write_text(json.dumps(document))
    manifest.load(folder)
    return document


def fed(document: dict[str, Any]) -> dict[str, Any]:
    """What says how pixels become numbers."""
    [variant] = document["variants"]
    return {key: variant[key] for key in ("preprocessing", "mean", "std", "channels") if key in variant}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"preprocessing": "tf"}, {"preprocessing": "tf"}),
        ({"preprocessing": "raw"}, {"preprocessing": "raw"}),
        ({"preprocessing": "torch"}, {"preprocessing": "torch"}),
        ({"preprocessing": "caffe"}, {"preprocessing": "caffe"}),
        ({"preprocessing": "unit"}, {"preprocessing": "scaled", "mean": 0.0, "std": 255.0}),
        ({"preset": "xception"}, {"preprocessing": "tf"}),
        ({"preset": "resnet50"}, {"preprocessing": "caffe"}),
        ({"preset": "efficientnet"}, {"preprocessing": "raw"}),
        ({"mean": (127.0,), "std": (128.0,)}, {"preprocessing": "scaled", "mean": 127.0, "std": 128.0}),
        ({"mean": (127.5,), "std": (127.5,)}, {"preprocessing": "tf"}),
        (
            {"mean": (1.0, 2.0, 3.0), "std": (4.0,), "channels": "bgr"},
            {"preprocessing": "scaled", "mean": [1.0, 2.0, 3.0], "std": 4.0, "channels": "bgr"},
        ),
    ],
)
def test_a_float_input_is_fed_as_the_user_says(
    said: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    assert fed(described(tmp_path, Answers(labels="red,green,blue", **said))) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"stored": kit.UINT8, "scale": 1 / 127.5, "zero_point": 127}, {"preprocessing": "raw"}),
        ({"stored": kit.UINT8, "scale": 1 / 128, "zero_point": 128}, {"preprocessing": "raw"}),
        ({"stored": kit.UINT8, "scale": 1 / 255, "zero_point": 0}, {"preprocessing": "raw"}),
        ({"stored": kit.UINT8}, {"preprocessing": "raw"}),
        ({"stored": kit.INT8, "scale": 1.0, "zero_point": -128}, {"preprocessing": "quantised"}),
        ({"stored": kit.INT8, "scale": 1 / 255, "zero_point": -128}, {"preprocessing": "quantised"}),
        ({"stored": kit.INT8, "scale": 0.018658, "zero_point": -14}, {"preprocessing": "torch"}),
        ({"scaled_by": 1 / 255}, {"preprocessing": "raw"}),
        ({"scaled_by": 2.0}, {"preprocessing": "scaled", "mean": 0.0, "std": 255.0}),
        ({"metadata": kit.description(mean=[127.5], std=[127.5])}, {"preprocessing": "tf"}),
        (
            {"metadata": kit.description(mean=[127.0], std=[128.0])},
            {"preprocessing": "scaled", "mean": 127.0, "std": 128.0},
        ),
    ],
)
def test_a_file_that_tells_how_it_is_fed_is_believed(
    changes: dict[str, Any], expected: dict[str, Any], tmp_path: Path
) -> None:
    assert fed(described(tmp_path, **changes)) == expected


def test_what_the_user_says_counts_more_than_what_the_file_tells(tmp_path: Path) -> None:
    answers = Answers(labels="red,green,blue", preprocessing="unit", title="Mine", licence="MIT", version="3")
    changes = {"metadata": kit.description(title="Theirs", licence="CC0", mean=[127.5], std=[127.5])}
    document = described(tmp_path, answers, **changes)
    assert fed(document) == {"preprocessing": "scaled", "mean": 0.0, "std": 255.0}
    assert (document["title"], document["licence"], document["version"]) == ("Mine", "MIT", "3")


def test_the_embedded_description_names_the_model_and_its_licence(tmp_path: Path) -> None:
    document = described(tmp_path, metadata=kit.description(title="T", licence="CC0", mean=[0.0], std=[255.0]))
    assert (document["title"], document["licence"]) == ("T", "CC0")


@pytest.mark.parametrize(
    ("changes", "answers", "answer", "flag"),
    [
        ({}, RGB, "preprocessing", "--preprocessing tf"),
        ({"stored": kit.UINT8, "scale": 0.5, "zero_point": 7}, RGB, "preprocessing", "--preset"),
        ({"stored": kit.UINT8}, Answers(), "labels", "--labels FILE"),
    ],
)
def test_what_nobody_tells_is_a_question_that_names_its_flag(
    changes: dict[str, Any], answers: Answers, answer: str, flag: str, tmp_path: Path
) -> None:
    with pytest.raises(MissingAnswers, match=flag) as raised:
        described(tmp_path, answers, **changes)
    assert raised.value.answer == answer


def test_an_answer_completes_the_answers() -> None:
    assert Answers().with_answer(MissingAnswers("labels", ""), "a,b").labels == "a,b"
    assert Answers().with_answer(MissingAnswers("preprocessing", ""), "tf").preprocessing == "tf"


@pytest.mark.parametrize(
    ("answers", "changes", "complaint"),
    [
        (Answers(labels="a,b"), {"stored": kit.UINT8}, "gives 3 scores and there are 2 labels"),
        (Answers(labels="a,b,c", input_size=(9, 8)), {"stored": kit.UINT8}, "takes images of 8 x 8 px.*says 9 x 8"),
        (Answers(labels="a,b,c", preprocessing="quantised"), {}, "takes float32, which is not quantised"),
    ],
)
def test_what_contradicts_the_file_is_refused(
    answers: Answers, changes: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match=complaint):
        described(tmp_path, answers, **changes)


def test_a_range_that_is_nearly_known_is_no_other(tmp_path: Path) -> None:
    """0..255 laid over -1..1.1 is not -1..1: guessing would cost accuracy silently."""
    assert normalisation.implied_by(Tensor("x", (1, 8, 8, 3), "uint8", 2.1 / 255, 121)) is None


def test_channels_first_models_say_so(tmp_path: Path) -> None:
    document = described(tmp_path, Answers(labels="red,green,blue", preset="torch"), shape=(1, 3, 6, 8))
    assert document["variants"][0]["layout"] == "nchw"
    assert (document["input"]["height"], document["input"]["width"]) == (6, 8)


def test_every_preset_is_a_known_way_and_is_named_in_the_help() -> None:
    assert {preset.preprocessing for preset in PRESETS.values()} <= set(KNOWN)
    assert {preset.resampling for preset in PRESETS.values()} <= set(manifest.RESAMPLINGS)
    [option] = [each for each in add.params if each.name == "preset"]
    listed = str(getattr(option, "help", "")).split(":")[1].strip(" .").split(", ")
    assert listed == list(PRESETS)
