"""ONNX Runtime: models exported from Keras, PyTorch, scikit-learn and others; on the processor, one thread each."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as native

from core.errors import ModelError
from core.runtime import TensorSpec, check_kind

if TYPE_CHECKING:
    from core.runtime import OpenInterpreter, Tensor

# One dequantise operator: uint8 [1, 4], scale 0.5, zero point 3 -> float32
# (made by tests/scripts/known_answer_onnx.py).
_KNOWN_MODEL = Path(__file__).with_name("known_answer.onnx")
_KNOWN_INPUT, _KNOWN_OUTPUT = bytes((0, 3, 128, 255)), [-1.5, 0.0, 62.5, 126.0]
_TYPES = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}
_NO_MODEL = (native.InvalidProtobuf, native.NoModel, native.NoSuchFile)
_REFUSED = (
    *_NO_MODEL,
    native.Fail,
    native.InvalidArgument,
    native.InvalidGraph,
    native.NotImplemented,
    native.RuntimeException,
)
_ERRORS_ONLY = 3


def unfit() -> str | None:
    """Why this runtime cannot be used here; None when it can."""
    try:
        answer = open_interpreter(_KNOWN_MODEL).run(_KNOWN_INPUT)
    except (ModelError, *_REFUSED) as error:
        return f"onnxruntime {onnxruntime.__version__} does not open its known model ({error})"
    return None if answer == _KNOWN_OUTPUT else f"the known answer {_KNOWN_OUTPUT} came out as {answer}"


class OnnxInterpreter:
    """One lane to a session; a session may run for several threads at once, so the lanes of a file share it."""

    def __init__(self, session: Any, *, file: Path) -> None:
        """Raises ModelError for a model that is not one image or feature vector in and scores out."""
        self._session = session
        inputs = session.get_inputs()
        scores = [output for output in session.get_outputs() if output.type in _TYPES]
        if len(scores) != 1 or not inputs:
            raise ModelError(_no_scores(file, session))
        self._input_name, self._output_name = inputs[0].name, scores[0].name
        self.input, self.output = _spec(inputs[0]), _spec(scores[0])
        check_kind(file, len(inputs), self.input, self.output)
        if 0 in self.output.shape:  # not every exporter writes the sizes of its outputs
            answer = self._ask(np.zeros(self.input.shape, self.input.dtype))
            self.output = self.output._replace(shape=tuple(answer.shape))

    def run(self, tensor: Tensor, /) -> list[float]:
        """See `core.runtime.Interpreter`."""
        values = np.frombuffer(tensor, dtype=self.input.dtype).reshape(self.input.shape)
        found: list[float] = self._ask(values).ravel().tolist()
        return found

    def _ask(self, values: np.ndarray[Any, Any]) -> Any:
        return self._session.run([self._output_name], {self._input_name: values})[0]


def _spec(argument: Any) -> TensorSpec:
    """A batch of open size is one of 1; any other open size is 0."""
    sides = [side if isinstance(side, int) else 0 for side in argument.shape or ()]
    shape = tuple(1 if axis == 0 and not side else side for axis, side in enumerate(sides))
    return TensorSpec(shape, _TYPES.get(argument.type, str(argument.type)))


def _no_scores(file: Path, session: Any) -> str:
    given = ", ".join(f"{output.name} {output.type}" for output in session.get_outputs())
    return (
        f"{file} gives {given:.200}: exactly one tensor of scores is expected; export it without the others "
        "(skl2onnx: options={'zipmap': False})"
    )


def _options() -> Any:
    """One thread, which does not spin: the share of a function's processor is all there is."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    return options


@lru_cache(maxsize=8)
def _session(file: Path, size_bytes: int, changed_ns: int) -> Any:
    """A file's session, opened once for all interpreters."""
    return onnxruntime.InferenceSession(str(file), _options(), providers=["CPUExecutionProvider"])


def open_interpreter(file: Path, /) -> OnnxInterpreter:
    """See `core.runtime.OpenInterpreter`."""
    try:
        found = file.stat()
        return OnnxInterpreter(_session(file, found.st_size, found.st_mtime_ns), file=file)
    except (OSError, *_NO_MODEL) as error:
        raise ModelError(
            f"{file} cannot be opened by onnxruntime ({_said(error)}): it must be a whole .onnx file; "
            "fetch or export it again"
        ) from error
    except _REFUSED as error:
        raise ModelError(
            f"{file} needs something that onnxruntime {onnxruntime.__version__} does not have ({_said(error)}): "
            "export it as one file with standard operators, for an opset that this release has"
        ) from error


def _said(error: Exception) -> str:
    """The cause without the words that every error of ONNX Runtime begins with."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return line.removeprefix("[ONNXRuntimeError] : ")[:200]


_open: OpenInterpreter = open_interpreter
