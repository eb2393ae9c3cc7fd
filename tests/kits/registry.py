"""Tiny image classifiers, made with the published schema of TFLite: they say which colour a picture has most of."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

COLOURS = ("red", "green", "blue")
FLOAT32, FLOAT16, INT32, UINT8, INT8 = 0, 1, 2, 3, 9
ADD, DEQUANTIZE, FULLY_CONNECTED, LOGISTIC, MUL, RESHAPE = 0, 6, 9, 14, 18, 22
SOFTMAX, MEAN, QUANTIZE, CUSTOM = 25, 40, 114, 32


@dataclass(frozen=True)
class Recipe:
    """What to make. `scaled_by`: the graph multiplies its input first. `weights`: rows of three before the ending."""

    shape: tuple[int, ...] = (1, 8, 8, 3)
    signature: tuple[int, ...] | None = None
    stored: int = FLOAT32
    scale: float = 0.0
    zero_point: int = 0
    scaled_by: float | None = None
    weights: tuple[tuple[float, float, float], ...] | None = None
    ending: int | None = SOFTMAX
    quantised_output: bool = False
    inputs: int = 1
    outputs: int = 1
    custom: str | None = None
    metadata: bytes | None = None
    packed: tuple[tuple[str, str], ...] = ()


def model(**changes: Any) -> bytes:
    """The bytes of a .tflite file after a Recipe."""
    return _Builder(Recipe(**changes)).bytes()


def onnx_model(shape: tuple[int | str, ...]) -> bytes:
    """The same as .onnx; a text is the name of an open side."""
    from onnx import helper

    from tests.scripts import known_answer_onnx as onnx

    axes = [1] if len(shape) < 4 else [2, 3] if shape[1] == 3 else [1, 2]
    steps = [
        helper.make_node("ReduceMean", ["in"], ["mean"], axes=axes, keepdims=0),
        helper.make_node("Softmax", ["mean"], ["out"], axis=-1),
    ]
    scores = (shape[0],) if len(shape) < 4 else (shape[0], 3)
    return onnx.whole(steps, [onnx.value("in", "FLOAT", shape)], [onnx.value("out", "FLOAT", scores)])


def picture(colour: str, size: tuple[int, int] = (20, 10)) -> Image.Image:
    """A picture of one colour with some of the others."""
    channels = [Image.new("L", size, 220 if name == colour else 60) for name in COLOURS]
    return Image.merge("RGB", channels)


def write_picture(folder: Path, colour: str) -> Path:
    """The picture as a PNG file."""
    file = folder / f"{colour}.png"
    picture(colour).save(file)
    return file


class _Builder:
    """One subgraph, operator after operator; every tensor that an operator makes is the next one's input."""

    def __init__(self, recipe: Recipe) -> None:
        from ai_edge_litert import schema_py_generated as schema

        self._schema: Any = schema
        self._recipe = recipe
        self._graph = schema.SubGraphT()
        self._graph.tensors, self._graph.operators = [], []
        self._codes: list[Any] = []
        self._buffers = [schema.BufferT()]

    def bytes(self) -> bytes:
        import flatbuffers  # type: ignore[import-untyped]

        last = self._operators()
        self._graph.outputs = [last] * self._recipe.outputs
        whole = self._schema.ModelT()
        whole.version, whole.subgraphs, whole.operatorCodes = 3, [self._graph], self._codes
        if self._recipe.metadata is not None:
            entry = self._schema.MetadataT()
            entry.name, entry.buffer = "TFLITE_METADATA", self._buffer(self._recipe.metadata)
            whole.metadata = [entry]
        whole.buffers = self._buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(whole.Pack(builder), b"TFL3")
        return _with_files(bytes(builder.Output()), self._recipe.packed)

    def _operators(self) -> int:
        """Add them all; return the index of the scores."""
        recipe = self._recipe
        shape = list(recipe.shape)
        first = [self._tensor(shape, recipe.stored, recipe.scale, recipe.zero_point) for _ in range(recipe.inputs)]
        self._graph.inputs = first
        if recipe.signature is not None:
            self._graph.tensors[first[0]].shapeSignature = list(recipe.signature)
        last = first[0]
        if recipe.custom is not None:
            return self._step(CUSTOM, [last], [1, 3])
        if recipe.stored != FLOAT32:
            last = self._step(DEQUANTIZE, [last], shape)
        if recipe.scaled_by is not None:
            last = self._step(MUL, [last, self._constant([1], [recipe.scaled_by])], shape)
        last = self._step(MEAN, [last, self._axes()], [1, 3], "ReducerOptions", keepDims=False)
        labels = 3
        if recipe.weights is not None:
            labels = len(recipe.weights)
            weights = self._constant([labels, 3], [one for row in recipe.weights for one in row])
            last = self._step(FULLY_CONNECTED, [last, weights], [1, labels], "FullyConnectedOptions")
        if recipe.ending == SOFTMAX:
            last = self._step(SOFTMAX, [last], [1, labels], "SoftmaxOptions", beta=1.0)
        elif recipe.ending is not None:
            last = self._step(recipe.ending, [last], [1, labels])
        if recipe.quantised_output:
            last = self._step(QUANTIZE, [last], [1, labels], stored=UINT8, scale=1 / 256)
        return last

    def _tensor(self, shape: list[int], kind: int, scale: float = 0.0, zero_point: int = 0, buffer: int = 0) -> int:
        tensor = self._schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"tensor {len(self._graph.tensors)}", shape, kind
        tensor.buffer = buffer
        if scale:
            tensor.quantization = self._schema.QuantizationParametersT()
            tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def _buffer(self, data: Any) -> int:
        buffer = self._schema.BufferT()
        buffer.data = list(bytes(data))
        self._buffers.append(buffer)
        return len(self._buffers) - 1

    def _constant(self, shape: list[int], values: Sequence[float]) -> int:
        import struct

        return self._tensor(shape, FLOAT32, buffer=self._buffer(struct.pack(f"<{len(values)}f", *values)))

    def _axes(self) -> int:
        import struct

        channels_first = self._recipe.shape[1] == 3
        axes = (2, 3) if channels_first else (1, 2)
        return self._tensor([2], INT32, buffer=self._buffer(struct.pack("<2i", *axes)))

    def _step(self, code: int, inputs: list[int], shape: list[int], options: str | None = None, **more: Any) -> int:
        made = self._tensor(shape, more.pop("stored", FLOAT32), more.pop("scale", 0.0))
        operator, listed = self._schema.OperatorT(), self._schema.OperatorCodeT()
        listed.builtinCode, listed.deprecatedBuiltinCode, listed.version = code, min(code, 127), 1
        if code == CUSTOM:
            listed.customCode = self._recipe.custom
        self._codes.append(listed)
        operator.opcodeIndex, operator.inputs, operator.outputs = len(self._codes) - 1, inputs, [made]
        if options is not None:
            operator.builtinOptionsType = getattr(self._schema.BuiltinOptions, options)
            operator.builtinOptions = getattr(self._schema, f"{options}T")()
            for name, value in more.items():
                setattr(operator.builtinOptions, name, value)
        self._graph.operators.append(operator)
        return made


def _with_files(data: bytes, packed: Sequence[tuple[str, str]]) -> bytes:
    """The files of a description are a zip archive behind the model."""
    if not packed:
        return data
    buffer = io.BytesIO(data)
    buffer.seek(0, io.SEEK_END)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, text in packed:
            archive.writestr(name, text)
    return buffer.getvalue()


def description(
    *,
    title: str | None = None,
    licence: str | None = None,
    mean: Sequence[float] = (),
    std: Sequence[float] = (),
    labels_file: str | None = None,
) -> bytes:
    """An embedded description, by the field numbers of metadata_schema.fbs 1.1.0."""
    import flatbuffers

    builder = flatbuffers.Builder(256)
    inputs = _vector(builder, [_table(builder, {4: _vector(builder, [_normalisation(builder, mean, std)])})])
    files = []
    if labels_file is not None:
        name = builder.CreateString(labels_file)
        files = [_table(builder, {0: name}, numbers={2: 2})]
    outputs = _vector(builder, [_table(builder, {6: _vector(builder, files)} if files else {})])
    subgraphs = _vector(builder, [_table(builder, {2: inputs, 3: outputs})])
    texts = {field: builder.CreateString(text) for field, text in ((0, title), (5, licence)) if text}
    builder.Finish(_table(builder, {3: subgraphs, **texts}), b"M001")
    return bytes(builder.Output())


def _normalisation(builder: Any, mean: Sequence[float], std: Sequence[float]) -> int:
    """A process unit with NormalizationOptions."""
    import numpy as np

    vectors = {
        field: builder.CreateNumpyVector(np.array(values, np.float32))
        for field, values in ((0, mean), (1, std))
        if values
    }
    return _table(builder, {1: _table(builder, vectors)}, numbers={0: 1})


def _vector(builder: Any, tables: Sequence[int]) -> int:
    builder.StartVector(4, len(tables), 4)
    for table in reversed(tables):
        builder.PrependUOffsetTRelative(table)
    return int(builder.EndVector())


def _table(builder: Any, offsets: dict[int, int], numbers: dict[int, int] | None = None) -> int:
    builder.StartObject(8)
    for field, offset in offsets.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    for field, number in (numbers or {}).items():
        builder.PrependUint8Slot(field, number, 0)
    return int(builder.EndObject())
