"""Replace float16 weights by float32 ones, so that the interpreter does not convert them at every start."""

from __future__ import annotations

from typing import Any

import numpy as np

from model.convert.errors import ConvertError
from model.convert.softmax import FILE_IDENTIFIER


def unpack_float16(content: bytes, name: str) -> bytes:
    """The same file with float16 weights, and the operators that unpack them, replaced by float32 weights.

    A file without any is returned as it is. Raises ConvertError for what is no TFLite file.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != FILE_IDENTIFIER:
        raise ConvertError(f"{name} is not a TFLite file: its bytes 4 to 8 are {content[4:8]!r}, expected b'TFL3'")
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    kept = [operator for operator in graph.operators if not _unpacks(schema, model, operator)]
    if len(kept) == len(graph.operators):
        return content
    for operator in graph.operators:
        if operator not in kept:
            _unpack(schema, model, operator)
    graph.operators = kept
    _drop_unused_tensors(model)
    builder = schema.flatbuffers.Builder(2 * len(content))
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def _unpacks(schema: Any, model: Any, operator: Any) -> bool:
    code = model.operatorCodes[operator.opcodeIndex]
    if max(code.builtinCode, code.deprecatedBuiltinCode) != schema.BuiltinOperator.DEQUANTIZE:
        return False
    source = model.subgraphs[0].tensors[operator.inputs[0]]
    return bool(source.type == schema.TensorType.FLOAT16 and model.buffers[source.buffer].data is not None)


def _unpack(schema: Any, model: Any, operator: Any) -> None:
    """Give the operator's output the weights, as float32, and its input nothing."""
    tensors = model.subgraphs[0].tensors
    source, target = tensors[operator.inputs[0]], tensors[operator.outputs[0]]
    stored = np.frombuffer(bytes(model.buffers[source.buffer].data), np.float16).astype(np.float32)
    model.buffers.append(schema.BufferT())
    model.buffers[-1].data = np.frombuffer(stored.tobytes(), np.uint8)
    target.buffer, target.type = len(model.buffers) - 1, schema.TensorType.FLOAT32


def _drop_unused_tensors(model: Any) -> None:
    """Remove tensors that no operator names: the calibrator reads every tensor, and these have no content."""
    graph = model.subgraphs[0]
    lists = [graph.inputs, graph.outputs] + [part for each in graph.operators for part in (each.inputs, each.outputs)]
    used = sorted({int(index) for each in lists for index in each if index >= 0})
    place = {-1: -1} | {index: number for number, index in enumerate(used)}

    def moved(indices: Any) -> list[int]:
        return [place[int(index)] for index in indices]

    graph.inputs, graph.outputs = moved(graph.inputs), moved(graph.outputs)
    for operator in graph.operators:
        operator.inputs, operator.outputs = moved(operator.inputs), moved(operator.outputs)
    for signature in model.signatureDefs or ():
        for part in (*signature.inputs, *signature.outputs):
            part.tensorIndex = place[int(part.tensorIndex)]
    kept = {graph.tensors[index].buffer for index in used}
    for number, buffer in enumerate(model.buffers):
        if number not in kept and _is_weights(graph, number):
            buffer.data = None
    graph.tensors = [graph.tensors[index] for index in used]


def _is_weights(graph: Any, buffer: int) -> bool:
    return any(tensor.buffer == buffer for tensor in graph.tensors)
