"""Makes the tiny ONNX models of the tests, and `core/known_answer.onnx`.

python -m tests.scripts.known_answer_onnx      writes core/known_answer.onnx
"""

from __future__ import annotations

from typing import Any

from tests.paths import ROOT

FILE = ROOT / "core" / "known_answer.onnx"
Sides = tuple[int | str | None, ...]


def dequantise(*, shape: Sides = (1, 4), scale: float = 0.5, zero_point: int = 3) -> bytes:
    """One operator: uint8 in, float32 of the same shape out."""
    from onnx import TensorProto, helper

    constants = [
        helper.make_tensor("scale", TensorProto.FLOAT, [], [scale]),
        helper.make_tensor("zero_point", TensorProto.UINT8, [], [zero_point]),
    ]
    step = helper.make_node("DequantizeLinear", ["in", "scale", "zero_point"], ["out"])
    return whole([step], [value("in", "UINT8", shape)], [value("out", "FLOAT", shape)], constants)


def picked(*, shape: Sides = (1, 2, 3), operator: str = "Identity", domain: str = "") -> bytes:
    """float32 in, through one operator, the same out."""
    from onnx import helper

    step = helper.make_node(operator, ["in"], ["out"], domain=domain)
    return whole([step], [value("in", "FLOAT", shape)], [value("out", "FLOAT", shape)])


def value(name: str, kind: str, shape: Sides) -> Any:
    """An input or output; a text is the name of an open size."""
    from onnx import TensorProto, helper

    return helper.make_tensor_value_info(name, TensorProto.DataType.Value(kind), list(shape))


def whole(steps: list[Any], inputs: list[Any], outputs: list[Any], constants: Any = (), *, opset: int = 17) -> bytes:
    """A model's file; its version of the format is one that every release since 2022 reads."""
    from onnx import helper

    graph = helper.make_graph(steps, "tiny", inputs, outputs, initializer=list(constants))
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("of.my.own", 1)]
    made: bytes = helper.make_model(graph, ir_version=8, opset_imports=imports).SerializeToString()
    return made


if __name__ == "__main__":
    FILE.write_bytes(dequantise())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
