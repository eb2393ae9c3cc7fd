"""Compute the final softmax of a quantised TFLite file in float instead of int8.

The converter quantises a softmax to steps of 1/256: small probabilities become 0 and close ones tie. The
logits before it lose far less, so they are turned into floats first and the softmax is computed on those.
"""

from __future__ import annotations

from typing import Any

import numpy as np

FILE_IDENTIFIER = b"TFL3"


class UnexpectedTail(Exception):
    """The file does not end in SOFTMAX, DEQUANTIZE."""


def float_softmax(content: bytes) -> bytes:
    """Return the TFLite file with its tail SOFTMAX, DEQUANTIZE turned into DEQUANTIZE, SOFTMAX.

    Raises UnexpectedTail when it ends in other operators, naming them.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    tail = [_code(model, operator) for operator in graph.operators[-2:]]
    if tail != [schema.BuiltinOperator.SOFTMAX, schema.BuiltinOperator.DEQUANTIZE]:
        raise UnexpectedTail(f"the file ends in operators {tail}, expected SOFTMAX, DEQUANTIZE")
    softmax, dequantize = graph.operators[-2:]
    between = graph.tensors[softmax.outputs[0]]
    between.type, between.quantization = schema.TensorType.FLOAT32, None
    logits, middle, result = softmax.inputs, softmax.outputs, dequantize.outputs
    dequantize.inputs, dequantize.outputs = logits, middle
    softmax.inputs, softmax.outputs = middle, result
    graph.operators[-2:] = [dequantize, softmax]
    builder = schema.flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return int(np.maximum(code.builtinCode, code.deprecatedBuiltinCode))
