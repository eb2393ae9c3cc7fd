"""Makes the tiny models of the tests, and `core/known_answer.tflite`, with the published schema of TFLite.

python -m tests.scripts.known_answer      writes core/known_answer.tflite
"""

from __future__ import annotations

from typing import Any

from tests.paths import ROOT

FILE = ROOT / "core" / "known_answer.tflite"
UINT8, INT8, FLOAT32 = 3, 9, 0
DEQUANTIZE, RESHAPE, CUSTOM, ABS = 6, 22, 32, 101


def model(
    *,
    shape: tuple[int, ...] = (1, 1, 1, 4),
    stored: int = UINT8,
    scale: float = 0.5,
    zero_point: int = 3,
    operator: int = DEQUANTIZE,
    inputs: int = 1,
) -> bytes:
    """A model of one operator: `stored` values of `shape` in, float32 of the same shape out."""
    import flatbuffers  # type: ignore[import-untyped]
    from ai_edge_litert import schema_py_generated as schema

    graph = schema.SubGraphT()
    first = [_tensor(schema, f"in{index}", shape, stored, scale, zero_point) for index in range(inputs)]
    graph.tensors = [*first, _tensor(schema, "out", shape, FLOAT32, None, 0)]
    graph.inputs, graph.outputs = list(range(inputs)), [inputs]
    step = schema.OperatorT()
    step.opcodeIndex, step.inputs, step.outputs = 0, [0], [inputs]
    graph.operators = [step]
    code = schema.OperatorCodeT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = operator, operator, 1
    if operator == CUSTOM:
        code.customCode = "SomethingOfMyOwn"
    whole = schema.ModelT()
    whole.version, whole.operatorCodes, whole.subgraphs, whole.buffers = 3, [code], [graph], [schema.BufferT()]
    builder = flatbuffers.Builder(1024)
    builder.Finish(whole.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(schema: Any, name: str, shape: tuple[int, ...], kind: int, scale: float | None, zero_point: int) -> Any:
    tensor = schema.TensorT()
    tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, 0
    if scale is not None:
        tensor.quantization = schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    return tensor


if __name__ == "__main__":
    FILE.write_bytes(model())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
