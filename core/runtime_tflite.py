"""tflite-runtime's Interpreter: Linux, Python up to 3.11, numpy below 2."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from core import log
from core.errors import ModelError
from core.interpreter import PythonInterpreter, open_with

if TYPE_CHECKING:
    from pathlib import Path

    from core.runtime import OpenInterpreter


def unfit() -> str | None:
    """Nothing speaks against it."""
    return None


def open_interpreter(file: Path, /) -> PythonInterpreter:
    """See `core.runtime.OpenInterpreter`. Raises ModelError on numpy 2, with which 2.14.0 imports and then fails."""
    if int(np.__version__.split(".")[0]) >= 2:
        raise ModelError(
            f"tflite-runtime cannot open {file} beside numpy {np.__version__}: "
            "pip install 'numpy<2', or use its successor with TRIPOINT_RUNTIME=litert"
        )
    from tflite_runtime.interpreter import Interpreter

    opened = open_with(Interpreter, file, "tflite-runtime")
    if opened.input.dtype != "float32":
        log.write(
            "warning",
            message=f"{file.name} is quantised: tflite-runtime takes 4 to 8 times the time of float32 for it; "
            "use TRIPOINT_RUNTIME=litert, or a float variant",
        )
    return opened


_open: OpenInterpreter = open_interpreter
