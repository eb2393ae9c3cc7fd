"""Run each subject in a process as bare as a function's, and ask it photograph by photograph."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from loadtests.launch import ROOT
from loadtests.selftest.line_process import LineProcess, ProcessEnded, bare_environment, packages

_CODE = "from model.evaluation.worker import main; main()"
T = TypeVar("T")


class SubjectUnfit(Exception):
    """A variant that this runtime does not run here; the message says why."""


@dataclass(frozen=True, slots=True)
class EvaluationSubject:
    """One variant of the model in `folder` on one runtime. `recommended`: its manifest names that runtime."""

    model: str
    folder: Path
    variant: str
    runtime: str
    recommended: bool

    @property
    def name(self) -> str:
        return f"{self.model} {self.variant} {self.runtime}"


@dataclass(frozen=True, slots=True)
class PhotographAnswer:
    """Scores by label; decoding, preparing and inference in ms; `error` instead for what is no photograph."""

    scores: dict[str, float]
    times_ms: tuple[float, float, float]
    error: str = ""

    @property
    def whole_ms(self) -> float:
        return sum(self.times_ms)


class EvaluationProcess:
    """A subject that is up and has answered `first`; a context that leaves nothing behind."""

    def __init__(self, subject: EvaluationSubject, first: Path) -> None:
        """Start the subject and wait for its first answer.

        Raises SubjectUnfit where the runtime refuses the file, or dies of it.
        """
        self.subject = subject
        arguments = [str(subject.folder), subject.variant, subject.runtime, str(first)]
        environment = bare_environment([str(ROOT), *packages()], {})
        self._process = LineProcess([sys.executable, "-S", "-c", _CODE, *arguments], environment)
        try:
            word, _, rest = _told(self._process.read).partition(" ")
            self.start_s = time.perf_counter() - self._process.started_s
            if word != "ready":
                raise SubjectUnfit(rest or word)
            self.first = _read(rest)
        except BaseException:
            self._process.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()

    def answer(self, file: Path) -> PhotographAnswer:
        """Let it answer one photograph. Raises SubjectUnfit when it dies."""
        return _read(_told(lambda: self._process.ask(str(file))))

    def end(self) -> float:
        """Let it end; return its peak memory in MB. Raises SubjectUnfit when it dies."""
        return _told(self._process.end)


def _told(step: Callable[[], T]) -> T:
    try:
        return step()
    except ProcessEnded as error:
        raise SubjectUnfit(str(error)) from error


def _read(line: str) -> PhotographAnswer:
    document: dict[str, Any] = json.loads(line)
    if "error" in document:
        return PhotographAnswer({}, (0.0, 0.0, 0.0), str(document["error"]))
    decode_ms, preprocess_ms, inference_ms = document["times_ms"]
    return PhotographAnswer(document["scores"], (decode_ms, preprocess_ms, inference_ms))
