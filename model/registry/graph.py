"""Read a .tflite file with its published schema. Nothing of it is run."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.bundle.model_lookup import RegistryError

_MAGIC = b"TFL3"  # schema.fbs: file_identifier, at byte 4
# What the generated reader raises on damaged bytes.
_DAMAGED = (struct.error, LookupError, ValueError, TypeError, AttributeError, OverflowError, AssertionError)
_PASSING = {"DEQUANTIZE", "QUANTIZE", "RESHAPE", "SQUEEZE", "CAST"}
_LINEAR = {"FULLY_CONNECTED", "CONV_2D", "ADD", "MEAN", "AVERAGE_POOL_2D", "BATCH_MATMUL"}


@dataclass(frozen=True, slots=True)
class Tensor:
    """`shape` has -1 where the file leaves a side open. Real value = (stored - zero_point) * scale; 0: floats."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0


@dataclass(frozen=True, slots=True)
class Graph:
    """The first subgraph of a file.

    `output_kind` is "probabilities" after a softmax or sigmoid, "logits" after a linear layer, else None. `takes` is
    "raw" or "unit" where the graph itself scales its input from 0..255 or from 0..1, else None. `customs` are the
    operators that TFLite does not have. `metadata` is the embedded description, unread.
    """

    file: Path
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    customs: tuple[str, ...]
    output_kind: str | None
    takes: str | None
    metadata: bytes | None

    @property
    def scores(self) -> int:
        """How many numbers the first output has for one image."""
        return abs(math.prod(self.outputs[0].shape))


def read(file: Path) -> Graph:
    """Read `file`. Raises RegistryError when it is no .tflite file, or a damaged one."""
    from ai_edge_litert import schema_py_generated as schema

    data = _bytes_of(file)
    if data[4:8] != _MAGIC:
        raise RegistryError(f"{file} is no .tflite file: {_likely(data)}")
    try:
        return _Reader(schema, data).graph(file)
    except _DAMAGED as error:
        raise RegistryError(
            f"{file} begins like a .tflite file and is damaged ({error}): fetch or convert it again"
        ) from error


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RegistryError(f"{file} cannot be read ({error.strerror}): name a .tflite or Keras file") from None


def _likely(data: bytes) -> str:
    """What the bytes are more likely, and what to do."""
    head = data[:200].lstrip()
    if data.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; fetch the file itself with git lfs pull"
    if head[:1] == b"<":
        return "it is a web page, perhaps that of a download that failed; fetch the file itself"
    if not data:
        return "it is empty; fetch or convert it again"
    if data.startswith(b"\x89HDF"):
        return "it is a Keras file (HDF5); give it the ending .h5, and it is converted"
    if data.startswith(b"PK"):
        return "it is a zip archive; unpack it and name the model inside, or give a Keras file the ending .keras"
    return "expected TFL3 at its fifth byte; convert the model to TFLite, or fetch the file again"


class _Reader:
    """The generated reader of the schema, in our words."""

    def __init__(self, schema: Any, data: bytes) -> None:
        self._model = schema.Model.GetRootAs(data)
        self._graph = self._model.Subgraphs(0)
        self._operators = _names(schema.BuiltinOperator)
        self._types = _names(schema.TensorType)

    def graph(self, file: Path) -> Graph:
        graph = self._graph
        inputs, outputs = [int(i) for i in graph.InputsAsNumpy()], [int(i) for i in graph.OutputsAsNumpy()]
        codes = [self._code(index) for index in range(self._model.OperatorCodesLength())]
        return Graph(
            file=file,
            inputs=tuple(self._tensor(index) for index in inputs),
            outputs=tuple(self._tensor(index) for index in outputs),
            customs=tuple(sorted({name for name, custom in codes if custom})),
            output_kind=self._kind_of(outputs[0]),
            takes=self._scaled_from(inputs[0]),
            metadata=self._metadata(),
        )

    def _code(self, index: int) -> tuple[str, bool]:
        """An operator's name, and whether it is a custom one."""
        code = self._model.OperatorCodes(index)
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = self._operators.get(number, f"operator {number}")
        return (code.CustomCode() or b"").decode() or name, name == "CUSTOM"

    def _tensor(self, index: int) -> Tensor:
        tensor = self._graph.Tensors(index)
        shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
        signature = tensor.ShapeSignatureAsNumpy() if tensor.ShapeSignatureLength() else shape
        quantised = tensor.Quantization()
        single = quantised is not None and quantised.ScaleLength() == 1
        return Tensor(
            name=(tensor.Name() or b"").decode(errors="replace"),
            shape=tuple(int(side) for side in signature),
            dtype=self._types.get(tensor.Type(), "unknown").lower(),
            scale=float(quantised.Scale(0)) if single else 0.0,
            zero_point=int(quantised.ZeroPoint(0)) if single and quantised.ZeroPointLength() else 0,
        )

    def _steps(self) -> Iterator[tuple[str, list[int], list[int]]]:
        """Every operator: its name, its inputs, its outputs."""
        for index in range(self._graph.OperatorsLength()):
            step = self._graph.Operators(index)
            inputs = [int(one) for one in step.InputsAsNumpy()] if step.InputsLength() else []
            outputs = [int(one) for one in step.OutputsAsNumpy()] if step.OutputsLength() else []
            yield self._code(step.OpcodeIndex())[0], inputs, outputs

    def _kind_of(self, output: int) -> str | None:
        """What makes the scores, behind what only passes them on."""
        made_by = {made: (name, inputs) for name, inputs, outputs in self._steps() for made in outputs}
        for _ in range(10):
            name, inputs = made_by.get(output, ("", []))
            if name not in _PASSING or not inputs:
                break
            output = inputs[0]
        if name in ("SOFTMAX", "LOGISTIC"):
            return "probabilities"
        return "logits" if name in _LINEAR else None

    def _scaled_from(self, first: int) -> str | None:
        """The range that the graph expects, by the constant of the first thing that it does with the image."""
        for name, inputs, _ in self._steps():
            if first in inputs:
                other = [index for index in inputs if index != first]
                sizes = self._constants(other[0]) if name in ("MUL", "DIV", "SUB", "ADD") and other else []
                return _range_for(name, sizes)
        return None

    def _constants(self, index: int) -> list[float]:
        """The absolute values of a float32 constant; empty for anything else."""
        tensor = self._graph.Tensors(index)
        data = self._model.Buffers(tensor.Buffer())
        if tensor.Type() != 0 or not data.DataLength() or data.DataLength() > 64:
            return []
        return [abs(value) for value in data.DataAsNumpy().view("<f4").tolist()]

    def _metadata(self) -> bytes | None:
        for index in range(self._model.MetadataLength()):
            entry = self._model.Metadata(index)
            if entry.Name() == b"TFLITE_METADATA":
                return bytes(self._model.Buffers(entry.Buffer()).DataAsNumpy().tobytes())
        return None


def _names(enumeration: Any) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def _range_for(name: str, sizes: list[float]) -> str | None:
    if not sizes:
        return None
    least, most = min(sizes), max(sizes)
    if (name == "MUL" and most <= 0.05) or (name == "DIV" and least >= 50):
        return "raw"
    if name in ("SUB", "ADD") and least >= 50:
        return "raw"
    if (name == "MUL" and least >= 1.5) or (name in ("SUB", "ADD", "DIV") and least >= 0.2 and most < 0.6):
        return "unit"
    return None
