"""LiteRT's C library called directly: half the cold start, for numpy need not be imported.

Pinned to one release, whose interface `litert_c` declares, and used only after a known answer came out right.
"""

from __future__ import annotations

import ctypes
import math
import sys
from ctypes import byref, c_void_p
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from core import litert_c
from core.errors import ModelError
from core.litert_c import LiteRtError
from core.runtime import TensorSpec, check_kind, real_values

if TYPE_CHECKING:
    from core.runtime import OpenInterpreter, Tensor

RELEASE = "2.3.0"
# One dequantise operator: uint8 [1, 1, 1, 4], scale 0.5, zero point 3 -> float32
# (made by tests/scripts/known_answer.py).
_KNOWN_MODEL = Path(__file__).with_name("known_answer.tflite")
_KNOWN_INPUT, _KNOWN_OUTPUT = bytes((0, 3, 128, 255)), [-1.5, 0.0, 62.5, 126.0]


def unfit() -> str | None:
    """Why this runtime cannot be used here; None when it can."""
    found = release()
    if found != RELEASE:
        return f"ai-edge-litert is {found or 'of unknown release'}, only {RELEASE} is called directly"
    try:
        answer = DirectInterpreter(_library(), _KNOWN_MODEL).run(_KNOWN_INPUT)
    except (OSError, AttributeError, LiteRtError) as error:
        return f"the library does not work as declared ({error})"
    return None if answer == _KNOWN_OUTPUT else f"the known answer {_KNOWN_OUTPUT} came out as {answer}"


def _package() -> Path:
    """The folder of ai_edge_litert; nothing of it is imported."""
    spec = PathFinder.find_spec("ai_edge_litert")
    places = (spec.submodule_search_locations if spec else None) or [""]
    return Path(places[0])


def release() -> str | None:
    """The installed release, by its .dist-info folder: importlib.metadata would cost more than the model."""
    names = [path.name for path in _package().parent.glob("ai_edge_litert-*.dist-info")]
    return names[0].removeprefix("ai_edge_litert-").removesuffix(".dist-info") if len(names) == 1 else None


@lru_cache(maxsize=1)
def _library() -> litert_c.Library:
    return litert_c.Library(_package() / ("libLiteRt.dylib" if sys.platform == "darwin" else "libLiteRt.so"))


@lru_cache(maxsize=8)
def _model(library: litert_c.Library, file: Path) -> c_void_p:
    """A model's file, mapped once for all interpreters."""
    return library.handle("LiteRtCreateModelFromFile", library.environment, str(file).encode())


class DirectInterpreter:
    """One compiled copy of a model with an input and an output buffer; kept until the process ends."""

    def __init__(self, library: litert_c.Library, file: Path) -> None:
        """Raises LiteRtError, and ModelError for a model that is not one image in and scores out."""
        self._library = library
        model = _model(library, file)
        graph = library.handle("LiteRtGetModelSubgraph", model, 0)
        input_type, self.input = self._tensor("LiteRtGetSubgraphInput", graph)
        output_type, self.output = self._tensor("LiteRtGetSubgraphOutput", graph)
        check_kind(file, library.number("LiteRtGetNumSubgraphInputs", graph), self.input, self.output)
        options = library.handle("LiteRtCreateOptions")
        library.call("LiteRtSetOptionsHardwareAccelerators", options, litert_c.CPU)
        self._compiled = library.handle("LiteRtCreateCompiledModel", library.environment, model, options)
        # Allocates now: without this call the first run would, and only then miss an operator.
        library.call("LiteRtGetCompiledModelOutputTensorLayouts", self._compiled, 0, 1, litert_c.Layout(), True)
        self._input_buffer = self._buffer(input_type, self.input)
        self._output_buffer = self._buffer(output_type, self.output)

    def run(self, tensor: Tensor, /) -> list[float]:
        """See `core.runtime.Interpreter`. Raises LiteRtError."""
        self._write(tensor)
        one = (self._compiled, 0, 1, byref(self._input_buffer), 1, byref(self._output_buffer))
        self._library.call("LiteRtRunCompiledModel", *one)
        stored = self._read()
        if self.output.dtype == "float32":
            return [*memoryview(stored).cast("f")]
        return real_values(memoryview(stored).cast("b" if self.output.dtype == "int8" else "B"), self.output)

    def _write(self, tensor: Tensor) -> None:
        expected = _size_bytes(self.input)
        if len(tensor) != expected:
            raise LiteRtError(f"the input has {len(tensor)} bytes, expected {expected}")
        address = self._library.lock(self._input_buffer, litert_c.WRITE)
        ctypes.memmove(address, bytes(tensor), expected)
        self._library.call("LiteRtUnlockTensorBuffer", self._input_buffer)

    def _read(self) -> bytes:
        address = self._library.lock(self._output_buffer, litert_c.READ)
        stored = ctypes.string_at(address, _size_bytes(self.output))
        self._library.call("LiteRtUnlockTensorBuffer", self._output_buffer)
        return stored

    def _tensor(self, name: str, graph: c_void_p) -> tuple[litert_c.TensorType, TensorSpec]:
        """The first input or output of the graph."""
        library, found = self._library, litert_c.TensorType()
        tensor = library.handle(name, graph, 0)
        library.call("LiteRtGetRankedTensorType", tensor, byref(found))
        kind, quantization = ctypes.c_int(), litert_c.Quantization()
        library.call("LiteRtGetQuantizationTypeId", tensor, byref(kind))
        if kind.value == litert_c.PER_TENSOR:
            library.call("LiteRtGetPerTensorQuantization", tensor, byref(quantization))
        shape = tuple(found.layout.dimensions[: found.layout.bits & 127])
        dtype = litert_c.ELEMENTS.get(found.element, f"of LiteRT type {found.element}")
        return found, TensorSpec(shape, dtype, quantization.scale, quantization.zero_point)

    def _buffer(self, kind: litert_c.TensorType, spec: TensorSpec) -> c_void_p:
        arguments = (self._library.environment, litert_c.HOST_MEMORY, byref(kind), _size_bytes(spec))
        return self._library.handle("LiteRtCreateManagedTensorBuffer", *arguments)


def _size_bytes(spec: TensorSpec) -> int:
    return math.prod(spec.shape) * (4 if spec.dtype == "float32" else 1)


def open_interpreter(file: Path, /) -> DirectInterpreter:
    """See `core.runtime.OpenInterpreter`."""
    try:
        return DirectInterpreter(_library(), file)
    except LiteRtError as error:
        raise ModelError(
            f"{file} cannot be opened by LiteRT ({error}): it must be a whole .tflite file with built-in operators; "
            "fetch or convert it again, or choose another runtime with TRIPOINT_RUNTIME"
        ) from error


_open: OpenInterpreter = open_interpreter
