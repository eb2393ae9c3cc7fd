"""The Python `Interpreter` of TFLite, which ai-edge-litert and tflite-runtime both have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import ModelError
from core.runtime import TensorSpec, check_kind, real_values

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from core.runtime import Tensor


class PythonInterpreter:
    """One allocated `Interpreter`, as `core.runtime` asks for it."""

    def __init__(self, interpreter: Any) -> None:
        self._interpreter = interpreter
        details = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
        self._input_index, self._output_index = (int(detail["index"]) for detail in details)
        self.input, self.output = (_spec(detail) for detail in details)

    def run(self, tensor: Tensor, /) -> list[float]:
        """See `core.runtime.Interpreter`."""
        values = np.frombuffer(tensor, dtype=self.input.dtype).reshape(self.input.shape)
        self._interpreter.set_tensor(self._input_index, values)
        self._interpreter.invoke()
        stored = self._interpreter.get_tensor(self._output_index).ravel().tolist()
        return stored if self.output.dtype == "float32" else real_values(stored, self.output)


def _spec(detail: dict[str, Any]) -> TensorSpec:
    scale, zero_point = detail["quantization"]
    shape = tuple(int(side) for side in detail["shape"])
    return TensorSpec(shape, np.dtype(detail["dtype"]).name, float(scale), int(zero_point))


def open_with(make: Callable[..., Any], file: Path, package: str) -> PythonInterpreter:
    """Open `file` with an `Interpreter` class on one thread and check what it is.

    Raises ModelError when it is no TFLite file, needs a missing operator, or has several inputs.
    """
    try:
        interpreter = make(model_path=str(file), num_threads=1)
    except (ValueError, RuntimeError, OSError) as error:
        raise ModelError(
            f"{file} cannot be opened by {package} ({_first_line(error)}): it must be a whole .tflite file; "
            "fetch or convert it again"
        ) from error
    try:
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise ModelError(
            f"{file} needs something that {package} does not have ({_first_line(error)}): "
            "convert it with built-in operators only, or choose another runtime with TRIPOINT_RUNTIME"
        ) from error
    opened = PythonInterpreter(interpreter)
    check_kind(file, len(interpreter.get_input_details()), opened.input, opened.output)
    return opened


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
