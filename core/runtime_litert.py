"""ai-edge-litert's Interpreter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ai_edge_litert.interpreter import Interpreter

from core.interpreter import PythonInterpreter, open_with

if TYPE_CHECKING:
    from pathlib import Path

    from core.runtime import OpenInterpreter


def unfit() -> str | None:
    """Nothing speaks against it."""
    return None


def open_interpreter(file: Path, /) -> PythonInterpreter:
    """See `core.runtime.OpenInterpreter`."""
    return open_with(Interpreter, file, "ai-edge-litert")


_open: OpenInterpreter = open_interpreter
