"""Three runtimes behind one seam: same answers, clear refusals, a fallback that says why."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from core import classifier, log, manifest, runtime, runtime_direct
from core.errors import ModelError
from core.runtime import TensorSpec, real_values
from core.settings import MODELS
from core.wire import Request
from tests.kits.core import encoded, new_service, picture, post
from tests.scripts import known_answer

CLOTHES = MODELS / "clothes"
PNG = encoded(picture(size=(300, 200)))
INSTALLED = runtime.usable()
needs_litert = pytest.mark.skipif("litert" not in INSTALLED, reason="ai-edge-litert is not installed")


def write_model(folder: Path, data: bytes, **changes: Any) -> Path:
    """A folder with a model file and a manifest that fits the tiny model of `known_answer`, but for `changes`."""
    (folder / "tiny.tflite").write_bytes(data)
    variant = {
        "name": "only",
        "file": "tiny.tflite",
        "sha256": hashlib.sha256(data).hexdigest(),
        "input_dtype": "uint8",
        "preprocessing": "raw",
        "runtimes": ["litert-direct", "litert"],
    }
    document: dict[str, Any] = {
        "schema": 1,
        "name": "tiny",
        "version": "1",
        "labels": [f"label {number}" for number in range(6)],
        "input": {"height": 1, "width": 2, "resampling": "nearest"},
        "output": "logits",
        "variants": [variant | changes.pop("variant", {})],
    }
    (folder / "manifest.json").write_text(json.dumps(document | changes))
    return folder


def tiny(**changes: Any) -> bytes:
    return known_answer.model(**({"shape": (1, 1, 2, 3)} | changes))


@needs_litert
def test_the_known_answer_file_is_the_one_that_its_script_makes() -> None:
    assert known_answer.FILE.read_bytes() == known_answer.model()


@needs_litert
@pytest.mark.parametrize("name", ["litert-direct", "litert"])
@pytest.mark.parametrize(("stored", "dtype"), [(known_answer.UINT8, "uint8"), (known_answer.INT8, "int8")])
def test_a_tiny_model_gives_what_can_be_worked_out_by_hand(
    name: str, stored: int, dtype: str, tmp_path: Path
) -> None:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny(stored=stored, scale=0.25, zero_point=2))
    opened = runtime.module(name).open_interpreter(file)
    assert opened.input == TensorSpec((1, 1, 2, 3), dtype, 0.25, 2)
    assert opened.output == TensorSpec((1, 1, 2, 3), "float32", 0.0, 0)
    assert opened.run(bytes((2, 3, 4, 0, 1, 127))) == [0.0, 0.25, 0.5, -0.5, -0.25, 31.25]


@needs_litert
def test_direct_calls_give_the_same_bits_as_the_interpreter() -> None:
    found = {
        name: post(new_service(TRIPOINT_RUNTIME=name), PNG, top_k="1000") for name in ("litert-direct", "litert")
    }
    models: dict[str, Any] = {name: answer.document["model"] for name, answer in found.items()}
    assert {name: model["runtime"] for name, model in models.items()} == {name: name for name in found}
    assert len({json.dumps(answer.document["predictions"]) for answer in found.values()}) == 1


@needs_litert
def test_two_interpreters_of_one_file_do_not_share_their_memory(tmp_path: Path) -> None:
    file = tmp_path / "tiny.tflite"
    file.write_bytes(tiny(scale=1.0, zero_point=0))
    first, second = (runtime.module("litert-direct").open_interpreter(file) for _ in range(2))
    assert first.run(bytes(range(6))) == [0, 1, 2, 3, 4, 5]
    assert second.run(bytes(range(10, 16))) == [10, 11, 12, 13, 14, 15]
    assert first.run(bytes(range(6))) == [0, 1, 2, 3, 4, 5]


def answer_in_new_process(runtime_name: str, image: Path) -> dict[str, Any]:
    """Predictions of a fresh process: some runtimes cannot share one."""
    code = (
        "import os, sys, pathlib\nfrom core.service import Service\nfrom core.wire import Request\n"
        "body = pathlib.Path(sys.argv[1]).read_bytes()\n"
        "print(Service.from_env(os.environ).infer(Request('POST', '/', body=body)).body.decode())"
    )
    environ = os.environ | {"TRIPOINT_RUNTIME": runtime_name, "TRIPOINT_LOG_LEVEL": "warning"}
    done = subprocess.run(
        [sys.executable, "-c", code, str(image)], env=environ, capture_output=True, text=True, check=True, timeout=60
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.mark.skipif("tflite-runtime" not in INSTALLED, reason="tflite-runtime is not installed")
def test_the_same_image_gives_the_same_label_on_every_runtime(sample_paths: list[Path]) -> None:
    labels = {
        name: answer_in_new_process(name, sample_paths[0])["predictions"][0]["label"]
        for name in ("litert-direct", "litert", "tflite-runtime")
    }
    assert len(set(labels.values())) == 1, labels


def some_manifest(*variants: Mapping[str, Any]) -> manifest.Manifest:
    made = tuple(
        manifest.Variant(one["name"], Path("x"), "0" * 64, "uint8", "raw", tuple(one["runtimes"])) for one in variants
    )
    size = manifest.Input(1, 1, "nearest", orient=True, draft=0.0)
    return manifest.Manifest("m", "1", "M", ("a",), size, "logits", made, None, None)


BOTH = some_manifest(
    {"name": "int8", "runtimes": ["litert", "litert-direct"]},
    {"name": "float16", "runtimes": ["tflite-runtime", "litert"]},
)


@pytest.mark.parametrize(
    ("wanted", "available", "expected"),
    [
        (None, ("litert-direct", "litert", "tflite-runtime"), ("int8", "litert-direct")),
        (None, ("litert", "tflite-runtime"), ("int8", "litert")),
        (None, ("tflite-runtime",), ("float16", "tflite-runtime")),
        ("litert", ("litert-direct", "litert", "tflite-runtime"), ("int8", "litert")),
        ("tflite-runtime", ("litert-direct", "litert", "tflite-runtime"), ("float16", "tflite-runtime")),
    ],
)
def test_the_best_variant_for_the_runtime_at_hand_is_chosen(
    wanted: str | None, available: tuple[str, ...], expected: tuple[str, str]
) -> None:
    variant, name = runtime.choose(BOTH, wanted=wanted, available=available)
    assert (variant.name, name) == expected


def test_of_one_variants_runtimes_the_successor_is_preferred() -> None:
    only = some_manifest({"name": "float16", "runtimes": ["tflite-runtime", "litert"]})
    assert runtime.choose(only, wanted=None, available=tuple(runtime.MODULES))[1] == "litert"


@pytest.mark.parametrize(
    ("wanted", "available", "step"),
    [
        (None, (), "pip install ai-edge-litert"),
        ("tflite-runtime", ("litert",), "pip install tflite-runtime 'numpy<2'"),
        ("litert-direct", (), "pip install ai-edge-litert==2.3.0"),
    ],
)
def test_a_missing_runtime_is_told_with_the_remedy(wanted: str | None, available: tuple[str, ...], step: str) -> None:
    with pytest.raises(ModelError) as raised:
        runtime.choose(BOTH, wanted=wanted, available=available)
    assert step in str(raised.value)


def test_a_runtime_that_no_variant_is_for_names_the_others() -> None:
    only = some_manifest({"name": "int8", "runtimes": ["litert"]})
    with pytest.raises(ModelError, match="set TRIPOINT_RUNTIME to one of litert"):
        runtime.choose(only, wanted="tflite-runtime", available=("litert", "tflite-runtime"))


@needs_litert
@pytest.mark.parametrize("wanted", [None, "litert-direct"])
def test_another_release_falls_back_to_the_interpreter_with_one_line(
    wanted: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log.set_level("warning")
    monkeypatch.setattr(runtime_direct, "release", lambda: "2.4.0")
    _, name = runtime.pick(manifest.load(CLOTHES), wanted=wanted)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines() if line.startswith("{")]
    assert name == "litert"
    assert [line["message"] for line in lines] == [
        "runtime litert-direct is passed over: ai-edge-litert is 2.4.0, only 2.3.0 is called directly"
    ]


@needs_litert
def test_a_wrong_known_answer_rules_direct_calls_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert runtime_direct.unfit() is None
    monkeypatch.setattr(runtime_direct, "_KNOWN_OUTPUT", [1.0, 2.0, 3.0, 4.0])
    assert "came out as [-1.5, 0.0, 62.5, 126.0]" in str(runtime_direct.unfit())


@needs_litert
def test_a_library_that_does_not_open_rules_direct_calls_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "ai_edge_litert-2.3.0.dist-info").mkdir()
    monkeypatch.setattr(runtime_direct, "_package", lambda: tmp_path / "ai_edge_litert")
    runtime_direct._library.cache_clear()
    assert "does not work as declared" in str(runtime_direct.unfit())
    runtime_direct._library.cache_clear()


@needs_litert
@pytest.mark.parametrize("name", ["litert-direct", "litert"])
@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"this is no model", "cannot be opened"),
        (b"", "cannot be opened"),
        (tiny()[:200], "cannot be opened|needs something"),
        (tiny(operator=known_answer.CUSTOM), "cannot be opened|needs something"),
        (tiny(inputs=2), "has 2 inputs"),
        (tiny(stored=1), "one image or feature vector in"),
    ],
)
def test_a_file_that_cannot_be_served_is_named_with_the_cause(
    name: str, data: bytes, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(data)
    with pytest.raises(ModelError, match=complaint) as raised:
        runtime.module(name).open_interpreter(file)
    assert str(file) in str(raised.value)
    assert "; " in str(raised.value) or ": " in str(raised.value)


@needs_litert
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"input": {"height": 2, "width": 2, "resampling": "nearest"}},
            r"shape \[1, 1, 2, 3\], expected \[1, 2, 2, 3\]",
        ),
        ({"labels": ["a", "b"]}, "6 scores, the manifest has 2 labels"),
        ({"variant": {"input_dtype": "float32"}}, "its input is uint8, the manifest says float32"),
    ],
)
def test_a_manifest_that_does_not_fit_its_model_is_refused_at_start(
    changes: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match=complaint):
        new_service(TRIPOINT_MODEL=str(write_model(tmp_path, tiny(), **changes)))


@needs_litert
@pytest.mark.parametrize(
    ("output", "scores"), [("probabilities", {"dog": 0.75, "cat": 0.25}), ("logits", {"dog": 0.75, "cat": 0.0})]
)
def test_a_single_score_is_that_of_the_second_of_two_labels(output: str, scores: object, tmp_path: Path) -> None:
    """As Keras makes it for two classes: one sigmoid, the probability of the class that is second by name."""
    manifest_of_two = some_manifest({"name": "only", "runtimes": ["litert"]})._replace(
        labels=("cat", "dog"), output=output
    )
    found = classifier.rank(manifest_of_two.labels, classifier.for_each_label([0.75], manifest_of_two))
    assert {one.label: one.score for one in found} == scores


@needs_litert
def test_a_model_of_ones_own_is_served_and_equal_scores_keep_the_labels_order(tmp_path: Path) -> None:
    service = new_service(TRIPOINT_MODEL=str(write_model(tmp_path, tiny(scale=1.0, zero_point=0))))
    image = picture(size=(2, 1))
    image.putdata([(7, 9, 7), (9, 7, 1)])
    predictions: Any = post(service, encoded(image)).document["predictions"]
    assert [(one["label"], one["score"]) for one in predictions] == [
        ("label 1", 9.0), ("label 3", 9.0), ("label 0", 7.0), ("label 2", 7.0), ("label 4", 7.0),
    ]  # fmt: skip


@needs_litert
def test_a_file_with_another_sha256_is_refused_at_start(tmp_path: Path) -> None:
    folder = write_model(tmp_path, tiny())
    (folder / "tiny.tflite").write_bytes(tiny() + b"\0")
    with pytest.raises(ModelError, match="its manifest says"):
        new_service(TRIPOINT_MODEL=str(folder))


def test_integers_become_real_values_by_scale_and_zero_point() -> None:
    assert real_values([0, 128, 255], TensorSpec((3,), "uint8", 1 / 256, 0)) == [0, 0.5, 255 / 256]
    assert real_values([-128, 0], TensorSpec((2,), "int8", 0.5, -128)) == [0.0, 64.0]


def test_the_best_few_labels_are_the_first_of_all() -> None:
    labels, scores = tuple("abcdef"), [0.1, 0.4, 0.1, 0.4, 0.0, 0.4]
    whole = classifier.rank(labels, scores)
    assert "".join(one.label for one in whole) == "bdface"
    assert [classifier.rank(labels, scores, best) for best in range(8)] == [whole[:best] for best in range(8)]


def test_scores_have_six_significant_digits_at_most() -> None:
    ranked = classifier.rank(("a", "b", "c"), (0.123456789, 1234567.89, 1e-9))
    assert [one.score for one in ranked] == [1234570.0, 0.123457, 1e-09]


@pytest.mark.skipif("tflite-runtime" not in INSTALLED, reason="tflite-runtime is not installed")
def test_tflite_runtime_beside_numpy_2_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from core import runtime_tflite

    monkeypatch.setattr(np, "__version__", "2.1.0")
    with pytest.raises(ModelError, match=r"pip install 'numpy<2'.*TRIPOINT_RUNTIME=litert"):
        runtime_tflite.open_interpreter(CLOTHES / "clothes-float16.tflite")


@pytest.mark.skipif("tflite-runtime" not in INSTALLED, reason="tflite-runtime is not installed")
def test_a_quantised_model_on_tflite_runtime_is_told_in_one_line(tmp_path: Path) -> None:
    folder = write_model(tmp_path, tiny(), variant={"runtimes": ["tflite-runtime"]})
    settings = {"TRIPOINT_MODEL": str(folder), "TRIPOINT_POOL": "1"}
    code = f"from core.service import Service\nService.from_env({settings!r})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    lines = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert len(lines) == 1
    assert "tflite-runtime takes 4 to 8 times the time" in lines[0]["message"]
    assert "TRIPOINT_RUNTIME=litert" in lines[0]["message"]


KNOWN = {
    "mobilenet_v1_0.25_224_quant.tflite": ("labels.txt", "burger.jpg", "cheeseburger", "uint8", "raw"),
    "mobilenet_v1_0.25_224_1_default_1.tflite": ("labels.txt", "burger.jpg", "cheeseburger", "float32", "tf"),
    "mobilenet_v2_1.0_224_quant.tflite": ("imagenet_labels.txt", "parrot.jpg", "macaw", "uint8", "raw"),
    "tf2_mobilenet_v2_1.0_224_ptq.tflite": ("imagenet_labels.txt", "parrot.jpg", "macaw", "uint8", "raw"),
}


@needs_litert
@pytest.mark.parametrize("name", KNOWN)
def test_published_models_know_the_photographs_published_with_them(
    name: str, data_folder: Path, tmp_path: Path
) -> None:
    labels_name, photo, label, dtype, preprocessing = KNOWN[name]
    file = data_folder / "models" / name
    lines = (data_folder / "models" / labels_name).read_text(encoding="utf-8").splitlines()
    folder = write_model(
        tmp_path,
        file.read_bytes(),
        labels=[f"{number} {line}" for number, line in enumerate(lines)],
        input={"height": 224, "width": 224, "resampling": "bilinear"},
        variant={"input_dtype": dtype, "preprocessing": preprocessing},
    )
    service = new_service(TRIPOINT_MODEL=str(folder))
    predictions: Any = post(service, (data_folder / "images" / "photos" / photo).read_bytes()).document["predictions"]
    assert label in predictions[0]["label"]


def test_photographs_under_all_orientations_get_one_label(data_folder: Path) -> None:
    service = new_service()
    found: list[Any] = [
        post(service, path.read_bytes()).document["predictions"]
        for path in sorted((data_folder / "images" / "exif").glob("*.jpg"))
    ]
    assert len(found) == 9
    assert len({predictions[0]["label"] for predictions in found}) == 1


@pytest.mark.parametrize("orientation", range(2, 9))
def test_one_photograph_stored_under_another_orientation_gets_nearly_the_same_scores(
    orientation: int, sample_image: bytes
) -> None:
    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(sample_image))).convert("RGB")
    undone = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose that the orientation makes up for
    stored, exif, file = upright.transpose(Image.Transpose(undone[orientation])), Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    stored.save(file, "JPEG", quality=97, subsampling=0, exif=exif)
    service = new_service()
    found: Any = post(service, file.getvalue()).document["predictions"]
    wanted: Any = post(service, sample_image).document["predictions"]
    assert found[0]["label"] == wanted[0]["label"]
    assert found[0]["score"] == pytest.approx(wanted[0]["score"], abs=0.05)


@needs_litert
def test_the_built_in_model_is_as_good_as_its_manifest_says(data_folder: Path) -> None:
    service = new_service()
    model: Any = service.infer(Request("GET", "/model")).document
    paths = sorted((data_folder / "clothes" / "validation").rglob("*.jpg"))
    right = 0
    for path in paths:
        predictions: Any = post(service, path.read_bytes(), "image/jpeg").document["predictions"]
        right += predictions[0]["label"] == path.parent.name
    assert len(paths) == model["validation"]["images"]
    assert right / len(paths) == pytest.approx(model["validation"]["accuracy"], abs=0.006)  # two photographs
