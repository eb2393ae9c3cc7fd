"""Tiny quantised TFLite files for the tests of the workshop, made with the published schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

KINDS = {"float32": 0, "int32": 2, "int8": 9}


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its shape and dtype, its constant content, its scales (along `axis` when more than one)."""

    shape: tuple[int, ...]
    dtype: str = "int8"
    content: bytes = b""
    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    axis: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """One operator by its builtin code, with the options object that it needs."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: tuple[int, Any] = field(default=(0, None))


def tflite(tensors: Sequence[Tensor], steps: Sequence[Step], *, inputs: list[int], outputs: list[int]) -> bytes:
    """Return a file of these tensors and operators."""
    graph, model = schema.SubGraphT(), schema.ModelT()
    model.buffers, graph.tensors = [schema.BufferT()], []
    for number, tensor in enumerate(tensors):
        graph.tensors.append(_tensor(number, tensor, model.buffers))
    codes = sorted({step.code for step in steps})
    graph.inputs, graph.outputs = inputs, outputs
    graph.operators = [_operator(step, codes) for step in steps]
    model.version, model.subgraphs = 3, [graph]
    model.operatorCodes = [_operator_code(code) for code in codes]
    builder = schema.flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _tensor(number: int, tensor: Tensor, buffers: list[Any]) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.type = f"t{number}", list(tensor.shape), KINDS[tensor.dtype]
    made.buffer = len(buffers) if tensor.content else 0
    if tensor.content:
        buffers.append(schema.BufferT())
        buffers[-1].data = np.frombuffer(tensor.content, np.uint8)
    if tensor.scales:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = list(tensor.scales), list(tensor.zero_points)
        made.quantization.quantizedDimension = tensor.axis
    return made


def _operator_code(code: int) -> Any:
    made = schema.OperatorCodeT()
    made.builtinCode, made.deprecatedBuiltinCode, made.version = code, code, 2
    return made


def _operator(step: Step, codes: list[int]) -> Any:
    made = schema.OperatorT()
    made.opcodeIndex, made.inputs, made.outputs = codes.index(step.code), list(step.inputs), list(step.outputs)
    made.builtinOptionsType, made.builtinOptions = step.options
    return made
