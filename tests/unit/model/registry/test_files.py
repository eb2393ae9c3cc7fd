"""What a model's file says of itself: shapes, ranges, labels, and what makes it no image classifier."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.bundle.model_lookup import RegistryError
from model.registry import graph, labels, metadata, model_type
from tests.kits import registry as kit

if TYPE_CHECKING:
    from model.registry.graph import Graph


def read(folder: Path, **changes: Any) -> Graph:
    file = folder / "model.tflite"
    file.write_bytes(kit.model(**changes))
    return graph.read(file)


def test_shape_type_and_scale_of_the_input_are_read(tmp_path: Path) -> None:
    found = read(tmp_path, stored=kit.UINT8, scale=0.25, zero_point=3)
    [image], [scores] = found.inputs, found.outputs
    assert (image.shape, image.dtype, image.scale, image.zero_point) == ((1, 8, 8, 3), "uint8", 0.25, 3)
    assert (scores.shape, scores.dtype, found.scores) == ((1, 3), "float32", 3)
    model_type.check(found)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "probabilities"),
        ({"quantised_output": True}, "probabilities"),
        ({"ending": kit.LOGISTIC}, "probabilities"),
        ({"ending": None}, "logits"),
        ({"ending": None, "weights": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))}, "logits"),
        ({"ending": kit.DEQUANTIZE, "weights": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))}, "logits"),
    ],
)
def test_the_last_layer_tells_probabilities_from_logits(
    changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    assert read(tmp_path, **changes).output_kind == expected


@pytest.mark.parametrize(
    ("factor", "expected"), [(1 / 255, "raw"), (1 / 127.5, "raw"), (2.0, "unit"), (0.5, None), (None, None)]
)
def test_a_graph_that_scales_its_input_tells_what_it_expects(
    factor: float | None, expected: str | None, tmp_path: Path
) -> None:
    assert read(tmp_path, scaled_by=factor).takes == expected


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"custom": "edgetpu-custom-op"}, "compiled for an Edge TPU .* without _edgetpu"),
        ({"custom": "FlexResize"}, r"TensorFlow's own operators \(FlexResize\).*TFLITE_BUILTINS only"),
        ({"custom": "TFLite_Detection_PostProcess"}, "finds objects and their boxes"),
        ({"custom": "MyOwn"}, r"operators of its own \(MyOwn\).*built-in operators only"),
        ({"inputs": 2}, "2 inputs and 1 outputs: expected one image in"),
        ({"outputs": 2}, "1 inputs and 2 outputs"),
        ({"stored": kit.FLOAT16}, "takes float16: expected one of float32, uint8, int8"),
        ({"shape": (1, 8, 3)}, r"shape \[1, 8, 3\]: expected an image"),
        ({"shape": (1, 8, 8, 1)}, r"takes \[1, 8, 8, 1\]: expected three channels"),
        ({"shape": (4, 8, 8, 3)}, "takes 4 images at once: convert it with a static batch of 1"),
        ({"shape": (1, 1, 1, 3), "signature": (1, -1, -1, 3)}, "leaves its size open: convert it with a fixed size"),
        ({"shape": (1, 5000, 8, 3)}, "expected sides of up to 4096 px"),
    ],
)
def test_what_is_no_image_classifier_is_refused_with_the_next_step(
    changes: dict[str, Any], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match=complaint):
        model_type.check(read(tmp_path, **changes))


def test_an_open_batch_is_no_obstacle(tmp_path: Path) -> None:
    found = read(tmp_path, signature=(-1, 8, 8, 3))
    model_type.check(found)
    assert model_type.size_of(found.inputs[0]) == (8, 8)


def test_channels_first_is_seen(tmp_path: Path) -> None:
    [image] = read(tmp_path, shape=(1, 3, 6, 8)).inputs
    assert (model_type.is_channels_first(image), model_type.size_of(image)) == (True, (6, 8))


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><html>Not found", "it is a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "Git LFS pointer"),
        (b"\x89HDF\r\n\x1a\n and more", r"Keras file \(HDF5\).*\.h5"),
        (b"PK\x03\x04 and more", "zip archive"),
        (b"something else", "expected TFL3 at its fifth byte"),
        (b"\xff\xff\xff\xffTFL3", "is damaged"),
        (kit.model()[:200], "is damaged"),
    ],
)
def test_a_file_that_is_no_model_is_told_for_what_it_is(data: bytes, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "model.tflite"
    file.write_bytes(data)
    with pytest.raises(RegistryError, match=complaint) as raised:
        model_type.check(graph.read(file))
    assert str(file) in str(raised.value)


def test_no_damage_is_ever_a_traceback(tmp_path: Path) -> None:
    """Every byte of a small model set to 255, one at a time: read it, or say that it is damaged."""
    file, good = tmp_path / "model.tflite", kit.model(metadata=kit.description(mean=[1.0], std=[2.0]))
    for place in range(len(good)):
        file.write_bytes(good[:place] + b"\xff" + good[place + 1 :])
        try:
            found = graph.read(file)
            model_type.check(found)
            metadata.read(found)
        except RegistryError:
            pass


def test_the_embedded_description_is_read(tmp_path: Path) -> None:
    described = kit.description(
        title="Colours", licence="CC0", mean=[127.5], std=[1.0, 2.0, 3.0], labels_file="colours.txt"
    )
    found = metadata.read(
        read(tmp_path, metadata=described, packed=(("colours.txt", "red\ngreen\nblue\n"), ("other.txt", "x")))
    )
    assert (found.title, found.licence, found.mean, found.std) == ("Colours", "CC0", (127.5,) * 3, (1.0, 2.0, 3.0))
    assert found.labels == kit.COLOURS


def test_labels_packed_without_a_description_count_when_they_are_as_many_as_the_scores(tmp_path: Path) -> None:
    assert metadata.read(read(tmp_path, packed=(("l.txt", "red\ngreen\nblue"),))).labels == kit.COLOURS
    assert metadata.read(read(tmp_path, packed=(("readme.txt", "hello"),))).labels == ()
    assert metadata.read(read(tmp_path)) == metadata.Embedded()


@pytest.mark.parametrize(
    "text",
    [
        "red\ngreen\nblue",
        "red\r\ngreen\r\nblue\r\n\r\n",
        "0 red\n1 green\n2 blue\n",
        "1: red\n2: green\n3: blue",
        '["red", "green", "blue"]',
        '{"0": "red", "1": "green", "2": "blue"}',
        '{"blue": 2, "red": 0, "green": 1}',
        '{"0": ["n01", "red"], "1": ["n02", "green"], "2": ["n03", "blue"]}',
    ],
)
def test_labels_are_read_in_the_ways_that_people_keep_them(text: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(text, encoding="utf-8")
    assert labels.read(str(file)) == kit.COLOURS


def test_numbers_that_do_not_count_up_are_part_of_the_labels() -> None:
    assert labels.parse("7 up\n3 musketeers", "x") == ("7 up", "3 musketeers")


def test_a_label_cannot_steer_the_terminal() -> None:
    assert labels.parse("\x1b[2Jcat\nد\u200cگ", "x") == ("[2Jcat", "د\u200cگ")


def test_packed_labels_that_cannot_be_read_are_no_labels(tmp_path: Path) -> None:
    assert metadata.read(read(tmp_path, packed=(("l.txt", "red\n\nblue"),))).labels == ()


def test_two_labels_can_be_typed() -> None:
    assert labels.read("cat, dog") == ("cat", "dog")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "no label in line 1"),
        ("a\n\nb", "no label in line 2"),
        ("[1, 2", "begins like JSON and is none"),
        ('{"0": "a", "2": "b"}', "expected each of 0, 1, 2"),
    ],
)
def test_labels_that_cannot_be_read_are_told(text: str, complaint: str) -> None:
    with pytest.raises(RegistryError, match=complaint):
        labels.parse(text, "labels.txt")


def test_a_missing_file_of_labels_and_one_in_another_encoding_are_told(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"there is no file 'nowhere\.txt'"):
        labels.read("nowhere.txt")
    file = tmp_path / "latin.txt"
    file.write_bytes("Köln\n".encode("latin-1"))
    with pytest.raises(RegistryError, match="save the labels as UTF-8"):
        labels.read(str(file))


def test_a_background_class_is_added_or_dropped_only_when_asked() -> None:
    assert labels.fit(("a", "b"), 3, background=True) == ("background", "a", "b")
    assert labels.fit(("???", "a", "b"), 2, background=False) == ("a", "b")
    assert labels.fit(("a", "b"), 2, background=None) == ("a", "b")
    assert labels.fit(("no", "yes"), 1, background=None) == ("no", "yes")


@pytest.mark.parametrize(
    ("many", "scores", "complaint"),
    [
        (
            1000,
            1001,
            "gives 1001 scores and there are 1000 labels: it may count a background class first.*--background",
        ),
        (1001, 1000, "gives 1000 scores and there are 1001 labels.*--no-background"),
        (3, 10, "10 scores and there are 3 labels: give one label for each score"),
        (3, 1, "1 score and there are 3 labels.*second of two labels; give two"),
    ],
)
def test_a_wrong_number_of_labels_names_both_numbers_and_the_likely_cause(
    many: int, scores: int, complaint: str
) -> None:
    with pytest.raises(RegistryError, match=complaint):
        labels.fit(tuple(f"label {number}" for number in range(many)), scores, background=None)
