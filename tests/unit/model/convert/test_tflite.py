"""Converting a float TFLite file: the built-in model's, which needs no TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner

from cli.commands.model.convert import command
from core import manifest as core_manifest
from core.service import Service
from core.wire import Request
from model.convert import Conversion, ConversionRefused, convert
from model.convert.errors import ConvertError, ToolMissing
from model.convert.float16 import unpack_float16
from model.convert.kinds import KINDS, takes_bytes
from model.convert.preprocessing import Preprocessing
from model.convert.source import open_source
from model.convert.source_metadata import class_folders, labels_in, look_up
from model.convert.tflite_source import TfliteOriginal
from tests.paths import ROOT, SAMPLES

if TYPE_CHECKING:
    from model.convert.conversion import Converted

CLOTHES = ROOT / "model" / "clothes"
FLOAT16 = CLOTHES / "clothes-float16.tflite"
LABELS = core_manifest.load(CLOTHES).labels
ALL = tuple(KINDS)


def asked(out: Path, **changes: object) -> Conversion:
    whole = Conversion(FLOAT16, out, LABELS, SAMPLES, "tf", kinds=("float32",))
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Sequence[Converted]]:
    """All kinds of the built-in model, from its float16 file."""
    out = tmp_path_factory.mktemp("converted") / "garments"
    return out, convert(asked(out, kinds=ALL))


def test_every_kind_answers_as_the_original_does(made: tuple[Path, Sequence[Converted]]) -> None:
    _, files = made
    assert [one.kind for one in files] == list(ALL)
    for one in files:
        assert one.likeness.agreement.value == 1.0, one
        assert one.likeness.largest_difference < 0.5, one  # calibrated on six photographs
    exact = {one.kind: one.likeness.largest_difference for one in files}
    assert exact["float32"] == exact["float16"] == 0.0  # the float16 weights lose nothing when they are packed again


def test_the_folder_is_one_that_the_core_serves(made: tuple[Path, Sequence[Converted]]) -> None:
    out, files = made
    loaded = core_manifest.load(out)
    assert (loaded.name, loaded.labels) == ("garments", LABELS)
    assert loaded.output == "probabilities"
    for variant in loaded.variants:
        core_manifest.FileCheck(variant).finish()
    assert [variant.name for variant in loaded.variants] == [one.kind for one in files]
    assert {path.name for path in out.iterdir()} == {variant.file.name for variant in loaded.variants} | {
        "manifest.json"
    }


def test_int8_takes_bytes_without_arithmetic(made: tuple[Path, Sequence[Converted]]) -> None:
    modes = {
        variant.name: (variant.input_dtype, variant.preprocessing) for variant in core_manifest.load(made[0]).variants
    }
    assert modes["int8"] == ("int8", "quantised")
    assert modes["float16"] == ("float32", "tf")


def test_smaller_kinds_are_smaller(made: tuple[Path, Sequence[Converted]]) -> None:
    size = {one.kind: int(one.entry["bytes"]) for one in made[1]}
    assert size["float16"] < 0.55 * size["float32"]
    for kind in ("int8", "dynamic", "weight-only"):
        assert size[kind] < 0.35 * size["float32"]


def test_the_manifest_says_what_it_was_made_of_and_how_like_it_is(made: tuple[Path, Sequence[Converted]]) -> None:
    document = json.loads((made[0] / "manifest.json").read_text(encoding="utf-8"))["conversion"]
    assert document["source"] == FLOAT16.name
    assert len(document["source_sha256"]) == 64
    assert set(document["likeness"]) == set(ALL)
    assert document["likeness"]["int8"]["top1_agreement"] == 1.0


def test_a_file_that_agrees_too_little_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    class Wrong(TfliteOriginal):
        def scores(self, tensors: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
            return np.roll(super().scores(tensors), 1, axis=1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("model.convert.tflite_source.TfliteOriginal", Wrong)
        with pytest.raises(ConversionRefused, match=r"float32 agrees with the original on 0\.0% of \d+ photographs"):
            convert(asked(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept_unless_it_may_be_replaced(tmp_path: Path) -> None:
    out = tmp_path / "model"
    convert(asked(out))
    before = (out / "manifest.json").stat().st_ino
    with pytest.raises(ConvertError, match="exists already: choose another --out, or allow it with --replace"):
        convert(asked(out))
    assert (out / "manifest.json").stat().st_ino == before
    convert(asked(out, replace=True, kinds=("float16",)))
    assert [variant.name for variant in core_manifest.load(out).variants] == ["float16"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_that_is_no_model_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(ConvertError, match=r"has no manifest\.json, so it is not replaced"):
        convert(asked(tmp_path / "photos", replace=True))


def test_as_many_labels_as_scores_are_needed(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="the model gives 10 scores and there are 2 labels"):
        convert(asked(tmp_path / "out", labels=("a", "b")))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kinds": ("int4",)}, "unknown kind int4: expected some of int8"),
        ({"preprocessing": "zca"}, "preprocessing 'zca': expected one of tf, caffe, torch, raw"),
        ({"min_agreement": 90}, "least agreement is 90: expected 0 to 1"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_read(
    tmp_path: Path, change: dict[str, object], words: str
) -> None:
    with pytest.raises(ConvertError, match=words):
        asked(tmp_path / "out", **change)


def test_a_quantised_file_cannot_be_the_original() -> None:
    content = (CLOTHES / "clothes-int8.tflite").read_bytes()
    with pytest.raises(ConvertError, match="takes uint8 and gives float32, expected float32"):
        TfliteOriginal(content, "clothes-int8.tflite", tool="")


def test_a_float_kind_of_a_tflite_file_keeps_its_input(tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="use --input float, or auto, or give the Keras file"):
        convert(asked(tmp_path / "out", input="uint8"))
    assert [takes_bytes(kind, "auto") for kind in KINDS] == [kind == "int8" for kind in KINDS]


def test_unpacking_float16_changes_the_size_and_no_answer() -> None:
    packed = FLOAT16.read_bytes()
    unpacked = unpack_float16(packed, FLOAT16.name)
    assert len(unpacked) > 1.8 * len(packed)
    assert unpack_float16(unpacked, "again") is unpacked
    photos = Preprocessing(224, 224, "tf")
    tensor = photos.normalised(photos.pixels(next(SAMPLES.glob("*.jpg"))))[None]
    one = TfliteOriginal(packed, "packed", tool="").scores(tensor)
    assert one.sum() == pytest.approx(1, abs=1e-5)


def test_what_is_no_model_is_told_in_one_sentence(tmp_path: Path) -> None:
    for name, content, words in (
        ("x.tflite", b"not a model at all", "is not a TFLite file"),
        ("x.onnx", b"", "ends in .onnx: name .keras"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConvertError, match=words):
            open_source(tmp_path / name, input_size=None)
    with pytest.raises(ConvertError, match="does not exist"):
        open_source(tmp_path / "nowhere.h5", input_size=None)
    with pytest.raises(ConvertError, match=r"is a folder without saved_model\.pb"):
        open_source(tmp_path, input_size=None)


def test_without_litert_torch_a_pytorch_program_names_it(tmp_path: Path) -> None:
    (tmp_path / "net.pt2").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "litert_torch", None)
        with pytest.raises(ToolMissing, match="pip install litert-torch"):
            open_source(tmp_path / "net.pt2", input_size=None)


def test_a_models_folder_gives_its_float_file_and_what_is_known_of_it(tmp_path: Path) -> None:
    known = look_up(CLOTHES)
    assert known.file == FLOAT16
    assert (known.labels, known.preprocessing, known.output) == (LABELS, "tf", "probabilities")
    assert known.draft == 0.85
    assert look_up(CLOTHES / "clothes-int8.tflite").preprocessing == "raw"
    assert look_up(tmp_path / "net.keras").labels == ()


def test_labels_come_from_a_file_or_from_the_folders(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\n\n dog \n", encoding="utf-8")
    assert labels_in(tmp_path / "labels.txt") == ("cat", "dog")
    for name in ("b", "a"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    assert class_folders(tmp_path / "photos") == ("a", "b")
    (tmp_path / "empty.txt").write_text("\n", encoding="utf-8")
    with pytest.raises(ConvertError, match="has no labels"):
        labels_in(tmp_path / "empty.txt")


def test_the_command_converts_a_model_by_name(tmp_path: Path) -> None:
    out = tmp_path / "small"
    words = [
        "clothes",
        "--to",
        "weight-only",
        "--representative",
        str(SAMPLES),
        "--out",
        str(out),
        "--json",
        "--quiet",
    ]
    result = CliRunner().invoke(command, words)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert [one["name"] for one in found["variants"]] == ["weight-only"]
    assert found["variants"][0]["likeness"]["top1_agreement"] == 1.0
    assert core_manifest.load(out).input.draft == 0.85


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no-such-model"], "FILE no-such-model does not exist"),
        (["{tmp}/net.keras"], "--preprocessing tf (-1..1: Xception, MobileNet)"),
        (["clothes", "--input-size", "224"], "expected height and width in px, such as 224x224"),
        (["clothes", "--to", "int3"], "unknown kind int3"),
    ],
)
def test_the_command_says_what_is_missing(tmp_path: Path, words: list[str], told: str) -> None:
    (tmp_path / "net.keras").write_bytes(b"")
    given = [word.replace("{tmp}", str(tmp_path)) for word in words]
    result = CliRunner().invoke(command, [*given, "--representative", str(SAMPLES)])
    assert result.exit_code == 2
    assert told in " ".join(result.output.split())


def test_a_converted_model_answers_requests(made: tuple[Path, Sequence[Converted]]) -> None:
    service = Service.from_env({"TRIPOINT_MODEL": str(made[0]), "TRIPOINT_LOG_LEVEL": "error", "TRIPOINT_POOL": "1"})
    body = next(SAMPLES.glob("pants-navy*.jpg")).read_bytes()
    answer = service.infer(Request("POST", "/classify", {"top_k": "1"}, {"content-type": "image/jpeg"}, body))
    assert answer.status == 200
    assert answer.document["predictions"][0]["label"] == "pants"  # type: ignore[index]
