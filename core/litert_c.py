"""Call LiteRT's C interface by ctypes, as far as an image classifier needs it. No numpy; calls release the GIL.

Declared after the headers of release 2.3.0 (github.com/google-ai-edge/LiteRT, litert/c: litert_environment.h,
litert_model.h, litert_model_types.h, litert_layout.h, litert_compiled_model.h, litert_options.h,
litert_tensor_buffer.h, read 2026-11-20). The interface changes between releases: `runtime_direct` uses it
with that release only, and only after a known answer came out right.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_float, c_int, c_int32, c_int64, c_size_t, c_uint32, c_void_p
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

ELEMENTS = {1: "float32", 3: "uint8", 9: "int8"}  # LiteRtElementType
CPU = 1  # LiteRtHwAccelerators
HOST_MEMORY = 1  # LiteRtTensorBufferType
READ, WRITE = 0, 1  # LiteRtTensorBufferLockMode
PER_TENSOR = 1  # LiteRtQuantizationTypeId
_INT = 2  # LiteRtAnyType
_AUTO_REGISTER, _MIN_SEVERITY, _ERRORS = 24, 25, 3  # LiteRtEnvOptionTag, LiteRtLogSeverity


class Layout(ctypes.Structure):
    """LiteRtLayout; the low seven bits of `bits` are the rank."""

    _fields_ = (("bits", c_uint32), ("dimensions", c_int32 * 8), ("strides", c_uint32 * 8))


class TensorType(ctypes.Structure):
    """LiteRtRankedTensorType."""

    _fields_ = (("element", c_int32), ("layout", Layout))


class Quantization(ctypes.Structure):
    """LiteRtQuantizationPerTensor."""

    _fields_ = (("scale", c_float), ("zero_point", c_int64))


class _Any(ctypes.Structure):
    """LiteRtAny that holds an integer."""

    _fields_ = (("kind", c_int), ("value", c_int64))


class _EnvOption(ctypes.Structure):
    """LiteRtEnvOption."""

    _fields_ = (("tag", c_int), ("value", _Any))


_HANDLE = POINTER(c_void_p)
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "LiteRtCreateEnvironment": (c_int, POINTER(_EnvOption), _HANDLE),
    "LiteRtCreateModelFromFile": (c_void_p, c_char_p, _HANDLE),
    "LiteRtGetNumModelSubgraphs": (c_void_p, POINTER(c_size_t)),
    "LiteRtGetModelSubgraph": (c_void_p, c_size_t, _HANDLE),
    "LiteRtGetNumSubgraphInputs": (c_void_p, POINTER(c_size_t)),
    "LiteRtGetNumSubgraphOutputs": (c_void_p, POINTER(c_size_t)),
    "LiteRtGetSubgraphInput": (c_void_p, c_size_t, _HANDLE),
    "LiteRtGetSubgraphOutput": (c_void_p, c_size_t, _HANDLE),
    "LiteRtGetRankedTensorType": (c_void_p, POINTER(TensorType)),
    "LiteRtGetQuantizationTypeId": (c_void_p, POINTER(c_int)),
    "LiteRtGetPerTensorQuantization": (c_void_p, POINTER(Quantization)),
    "LiteRtCreateOptions": (_HANDLE,),
    "LiteRtSetOptionsHardwareAccelerators": (c_void_p, c_int),
    "LiteRtCreateCompiledModel": (c_void_p, c_void_p, c_void_p, _HANDLE),
    "LiteRtGetCompiledModelOutputTensorLayouts": (c_void_p, c_size_t, c_size_t, POINTER(Layout), c_bool),
    "LiteRtCreateManagedTensorBuffer": (c_void_p, c_int, POINTER(TensorType), c_size_t, _HANDLE),
    "LiteRtLockTensorBuffer": (c_void_p, _HANDLE, c_int),
    "LiteRtUnlockTensorBuffer": (c_void_p,),
    "LiteRtRunCompiledModel": (c_void_p, c_size_t, c_size_t, _HANDLE, c_size_t, _HANDLE),
}


class LiteRtError(Exception):
    """A call that did not return 0 (LiteRtStatus): its name and the status."""


class Library:
    """The loaded library with one environment: one thread per invocation, processor only, errors only in its log."""

    def __init__(self, file: Path) -> None:
        """Raises OSError, AttributeError (a function is missing), LiteRtError."""
        self._library = ctypes.CDLL(str(file))
        for name, types in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = types, c_int
        options = (_EnvOption * 2)(
            _EnvOption(_AUTO_REGISTER, _Any(_INT, CPU)), _EnvOption(_MIN_SEVERITY, _Any(_INT, _ERRORS))
        )
        self.environment = self.handle("LiteRtCreateEnvironment", 2, options)

    def call(self, name: str, *arguments: object) -> None:
        """Call a function that returns a status. Raises LiteRtError."""
        status = getattr(self._library, name)(*arguments)
        if status:
            raise LiteRtError(f"{name} returned {status}")

    def handle(self, name: str, *arguments: object) -> c_void_p:
        """Call a function whose last argument receives a handle."""
        found = c_void_p()
        self.call(name, *arguments, byref(found))
        return found

    def lock(self, buffer: c_void_p, mode: int) -> c_void_p:
        """Make a tensor buffer readable or writable and return its address."""
        address = c_void_p()
        self.call("LiteRtLockTensorBuffer", buffer, byref(address), mode)
        return address

    def number(self, name: str, *arguments: object) -> int:
        """Call a function whose last argument receives a size."""
        found = c_size_t()
        self.call(name, *arguments, byref(found))
        return found.value
