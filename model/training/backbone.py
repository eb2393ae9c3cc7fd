"""Read the float weights of a quantised TFLite backbone, where training starts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.errors import ConvertError
from model.convert.float16 import unpack_float16
from model.training.architecture import Convolution, Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray


class BackboneError(Exception):
    """The file is not the backbone that the architecture describes; the message says where they part."""


def dequantise(
    values: NDArray[np.generic], scales: Sequence[float], zero_points: Sequence[int], *, axis: int
) -> NDArray[np.float32]:
    """Return `(values - zero_point) * scale`, float32; one scale for all, or one for each index of `axis`."""
    shape = [1] * values.ndim
    if len(scales) > 1:
        shape[axis] = len(scales)
    scale = np.asarray(scales, np.float64).reshape(shape)
    zero = np.asarray(zero_points, np.int64).reshape(shape)
    return np.asarray((values.astype(np.int64) - zero) * scale, np.float32)


def read_backbone(path: Path, expected: Sequence[Convolution]) -> list[Weights]:
    """Return the weights of the `expected` convolutions of the TFLite file `path`, in the file's operator order.

    int8 or uint8 kernels (per tensor or per channel) and int32 biases are dequantised, float16 is unpacked; what
    follows the expected layers (the classifier) is left. Raises BackboneError where a shape differs.
    """
    # The FlatBuffers schema comes with ai-edge-litert; imported late because only training needs it.
    from ai_edge_litert import schema_py_generated as schema

    try:
        content = unpack_float16(path.read_bytes(), path.name)
    except ConvertError as error:
        raise BackboneError(str(error)) from error
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]
    builtin = schema.BuiltinOperator
    wanted = {builtin.CONV_2D: False, builtin.DEPTHWISE_CONV_2D: True}
    found: list[Weights] = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = wanted.get(max(code.builtinCode, code.deprecatedBuiltinCode))
        if kind is None or len(found) == len(expected):
            continue
        kernel, bias = (_constant(model, graph.tensors[index]) for index in operator.inputs[1:3])
        found.append(_checked(kernel, bias, layer=expected[len(found)]))
    if len(found) != len(expected):
        raise BackboneError(f"{path.name} has {len(found)} convolutions, expected at least {len(expected)}")
    return found


def read_classifier(path: Path) -> Weights:
    """Return the last fully connected layer of a float TFLite file: kernel [in, classes], bias [classes].

    Raises BackboneError when it has none.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(unpack_float16(path.read_bytes(), path.name), 0)
    graph = model.subgraphs[0]
    for operator in reversed(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) == schema.BuiltinOperator.FULLY_CONNECTED:
            kernel, bias = (_constant(model, graph.tensors[index]) for index in operator.inputs[1:3])
            return Weights(np.ascontiguousarray(kernel.T), bias)
    raise BackboneError(f"{path.name} has no fully connected layer, which the classifier is")


def _constant(model: Any, tensor: Any) -> NDArray[np.float32]:
    """The dequantised constant `tensor` of the unpacked `model`."""
    from ai_edge_litert.schema_py_generated import TensorType

    dtypes = {TensorType.FLOAT32: "<f4", TensorType.INT32: "<i4", TensorType.INT8: "<i1", TensorType.UINT8: "<u1"}
    if tensor.type not in dtypes:
        raise BackboneError(f"tensor {tensor.name!r} has type {tensor.type}, expected float32, int32, int8 or uint8")
    values = np.frombuffer(bytes(model.buffers[tensor.buffer].data), dtypes[tensor.type]).reshape(tensor.shape)
    quantization = tensor.quantization
    if quantization is None or quantization.scale is None or not len(quantization.scale):
        return values.astype(np.float32)
    return dequantise(values, quantization.scale, quantization.zeroPoint, axis=quantization.quantizedDimension)


def _checked(kernel: NDArray[np.float32], bias: NDArray[np.float32], *, layer: Convolution) -> Weights:
    """TFLite keeps kernels as [out, height, width, in], depthwise [1, height, width, channels]."""
    moved = np.moveaxis(kernel, 0, -1)
    if moved.shape != layer.kernel:
        raise BackboneError(f"layer {layer.name} has a kernel of {moved.shape}, expected {layer.kernel}")
    return Weights(np.ascontiguousarray(moved), bias)
