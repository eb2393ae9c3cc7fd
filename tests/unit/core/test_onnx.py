"""ONNX Runtime behind the seam: same answers from both layouts, clear refusals, one session for all lanes."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from core import runtime
from core.errors import ModelError
from core.runtime import TensorSpec
from tests.kits.core import code_of, encoded, new_service, picture, post
from tests.kits.families import COLOURS, mean_colour, write_images
from tests.scripts import known_answer_onnx as tiny

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


def open_tiny(folder: Path, content: bytes) -> Any:
    file = folder / "tiny.onnx"
    file.write_bytes(content)
    return runtime.module("onnxruntime").open_interpreter(file)


def test_the_known_answer_file_is_the_one_that_its_script_makes() -> None:
    assert tiny.FILE.read_bytes() == tiny.dequantise()


def test_the_runtime_is_fit_where_the_known_answer_comes_out_right(monkeypatch: pytest.MonkeyPatch) -> None:
    from core import runtime_onnx

    assert runtime_onnx.unfit() is None
    monkeypatch.setattr(runtime_onnx, "_KNOWN_OUTPUT", [1.0, 2.0, 3.0, 4.0])
    assert "came out as [-1.5, 0.0, 62.5, 126.0]" in str(runtime_onnx.unfit())


def test_a_tiny_model_gives_what_can_be_worked_out_by_hand(tmp_path: Path) -> None:
    opened = open_tiny(tmp_path, tiny.dequantise(shape=(1, 1, 2, 3), scale=0.25, zero_point=2))
    assert opened.input == TensorSpec((1, 1, 2, 3), "uint8")
    assert opened.output == TensorSpec((1, 1, 2, 3), "float32")
    assert opened.run(bytes((2, 3, 4, 0, 1, 127))) == [0.0, 0.25, 0.5, -0.5, -0.25, 31.25]


@pytest.mark.parametrize("batch", [1, "N"])
@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_both_layouts_and_an_open_batch_give_the_same_scores(layout: str, batch: int | str, tmp_path: Path) -> None:
    folder = write_images(tmp_path, mean_colour(layout, batch=batch), variant={"layout": layout})
    image = picture(size=(6, 4))
    answer: Any = post(new_service(TRIPOINT_MODEL=str(folder)), encoded(image)).document
    found = {one["label"]: one["score"] for one in answer["predictions"]}
    expected = {
        colour: sum(band.tobytes()) / 24 for colour, band in zip(COLOURS, image.split(), strict=True)
    }  # fmt: skip
    assert found == pytest.approx(expected, rel=1e-5)
    assert answer["model"]["runtime"] == "onnxruntime"


@pytest.mark.parametrize("layout", ["nhwc", "nchw"])
def test_bytes_reach_a_model_with_uint8_input_in_its_own_layout(layout: str, tmp_path: Path) -> None:
    shape = (1, 3, 1, 2) if layout == "nchw" else (1, 1, 2, 3)
    folder = write_images(
        tmp_path,
        tiny.dequantise(shape=shape, scale=1.0, zero_point=0),
        labels=[str(number) for number in range(6)],
        input={"height": 1, "width": 2, "resampling": "nearest"},
        variant={"input_dtype": "uint8", "layout": layout},
    )
    image = picture(size=(2, 1))
    image.putdata([(10, 20, 30), (40, 50, 60)])
    answer: Any = post(new_service(TRIPOINT_MODEL=str(folder)), encoded(image), top_k="6").document
    scores = {one["label"]: one["score"] for one in answer["predictions"]}
    wanted = [10, 40, 20, 50, 30, 60] if layout == "nchw" else [10, 20, 30, 40, 50, 60]
    assert [scores[str(number)] for number in range(6)] == wanted


def test_lanes_share_one_session_and_do_not_mix_their_answers(tmp_path: Path) -> None:
    file = tmp_path / "tiny.onnx"
    file.write_bytes(tiny.picked(shape=(1, 64)))
    lanes = [runtime.module("onnxruntime").open_interpreter(file) for _ in range(4)]
    wrong: list[int] = []

    def ask(lane: Any, number: int) -> None:
        import array

        values = array.array("f", [number] * 64)
        wrong.extend(number for _ in range(50) if lane.run(values.tobytes()) != values.tolist())

    threads = [threading.Thread(target=ask, args=(lane, number)) for number, lane in enumerate(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len({id(lane._session) for lane in lanes}) == 1  # type: ignore[attr-defined]


def test_a_file_that_changed_is_opened_anew(tmp_path: Path) -> None:
    first = open_tiny(tmp_path, tiny.dequantise(scale=1.0, zero_point=0))
    second = open_tiny(tmp_path, tiny.dequantise(scale=2.0, zero_point=0, shape=(1, 2)))
    assert first.run(bytes((1, 2, 3, 4))) == [1, 2, 3, 4]
    assert second.run(bytes((1, 2))) == [2, 4]


def test_sizes_that_an_exporter_left_open_are_found_by_asking(tmp_path: Path) -> None:
    step = onnx.helper.make_node("Identity", ["in"], ["out"])
    content = tiny.whole([step], [tiny.value("in", "FLOAT", (1, 5))], [tiny.value("out", "FLOAT", ("N", "M"))])
    assert open_tiny(tmp_path, content).output.shape == (1, 5)


def labels_and_scores() -> bytes:
    """As scikit-learn's exports are: the label as a number, and the scores."""
    steps = [
        onnx.helper.make_node("ArgMax", ["in"], ["label"], axis=1, keepdims=0),
        onnx.helper.make_node("Identity", ["in"], ["scores"]),
    ]
    outputs = [tiny.value("label", "INT64", ("N",)), tiny.value("scores", "FLOAT", ("N", 3))]
    return tiny.whole(steps, [tiny.value("in", "FLOAT", ("N", 3))], outputs)


def test_the_scores_are_found_beside_a_label(tmp_path: Path) -> None:
    opened = open_tiny(tmp_path, labels_and_scores())
    assert (opened.input.shape, opened.output.shape) == ((1, 3), (1, 3))


def two_inputs() -> bytes:
    step = onnx.helper.make_node("Add", ["a", "b"], ["out"])
    sides: tiny.Sides = (1, 3)
    return tiny.whole([step], [tiny.value("a", "FLOAT", sides), tiny.value("b", "FLOAT", sides)], [
        tiny.value("out", "FLOAT", sides)
    ])  # fmt: skip


def two_outputs() -> bytes:
    steps = [onnx.helper.make_node("Identity", ["in"], [name]) for name in ("one", "two")]
    sides: tiny.Sides = (1, 3)
    outputs = [tiny.value(name, "FLOAT", sides) for name in ("one", "two")]
    return tiny.whole(steps, [tiny.value("in", "FLOAT", sides)], outputs)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"this is no model", "cannot be opened by onnxruntime"),
        (tiny.dequantise()[:60], "cannot be opened by onnxruntime"),
        (b"", "cannot be opened by onnxruntime|needs something"),
        (tiny.picked(operator="SomethingOfMyOwn", domain="of.my.own"), "needs something .*SomethingOfMyOwn"),
        (tiny.whole([], [], [], opset=99), "needs something|exactly one tensor of scores"),
        (two_inputs(), "has 2 inputs"),
        (two_outputs(), "exactly one tensor of scores is expected"),
        (tiny.picked(shape=(1, "H", "W", 3)), "convert it with fixed sizes"),
    ],
    ids=["text", "half", "empty", "operator", "opset", "two inputs", "two outputs", "open sizes"],
)
def test_a_file_that_cannot_be_served_is_named_with_the_cause(content: bytes, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=complaint) as raised:
        open_tiny(tmp_path, content)
    assert str(tmp_path / "tiny.onnx") in str(raised.value)
    assert "; " in str(raised.value) or ": " in str(raised.value)


def test_doubles_are_refused_with_the_types_that_are_read(tmp_path: Path) -> None:
    step = onnx.helper.make_node("Cast", ["in"], ["out"], to=onnx.TensorProto.FLOAT)
    content = tiny.whole([step], [tiny.value("in", "DOUBLE", (1, 3))], [tiny.value("out", "FLOAT", (1, 3))])
    with pytest.raises(ModelError, match=r"the first tensor\(double\).*each of float32, uint8, int8, are expected"):
        open_tiny(tmp_path, content)


@pytest.mark.parametrize(
    ("layout", "hint"), [("nchw", "take `layout` out"), ("nhwc", r'say `"layout": "nchw"` of this variant')]
)
def test_the_other_layout_is_told_at_start(layout: str, hint: str, tmp_path: Path) -> None:
    other = "nhwc" if layout == "nchw" else "nchw"
    folder = write_images(tmp_path, mean_colour(other), variant={"layout": layout})
    with pytest.raises(ModelError, match=hint):
        new_service(TRIPOINT_MODEL=str(folder))


def test_another_number_of_labels_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="3 scores, the manifest has 2 labels"):
        new_service(TRIPOINT_MODEL=str(write_images(tmp_path, mean_colour("nhwc"), labels=["a", "b"])))


def test_a_missing_runtime_is_told_with_the_remedy(tmp_path: Path) -> None:
    from core import manifest

    found = manifest.load(write_images(tmp_path, mean_colour("nhwc")))
    with pytest.raises(ModelError, match="pip install onnxruntime"):
        runtime.choose(found, wanted=None, available=("litert",))


def test_features_sent_to_a_model_of_images_are_refused(tmp_path: Path) -> None:
    service = new_service(TRIPOINT_MODEL=str(write_images(tmp_path, mean_colour("nhwc"))))
    answer = post(service, b'{"features": [1, 2, 3]}', "application/json")
    assert (answer.status, code_of(answer)) == (400, "wrong_input")
    assert "colours takes images, not features" in json.dumps(answer.document)
