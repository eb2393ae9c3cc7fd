"""Subjects as processes: started as bare as a function's, asked photograph by photograph, ended with us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_CODE = "from model.evaluation.worker import main; main()"
_ROOT = Path(__file__).resolve().parents[2]
_END_S = 60.0


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
class Answer:
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
        """Raises SubjectUnfit where the runtime refuses the file, or dies of it."""
        self.subject = subject
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill(); a pipe that nobody reads would block
        arguments = [str(subject.folder), subject.variant, subject.runtime, str(first)]
        started_s = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-S", "-c", _CODE, *arguments], env=_environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        try:
            word, _, rest = self._line().partition(" ")
            self.start_s = time.perf_counter() - started_s
            if word != "ready":
                raise SubjectUnfit(rest or word)
            self.first = _read(rest)
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def answer(self, file: Path) -> Answer:
        """Let it answer one photograph. Raises SubjectUnfit when it dies."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{file}\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise SubjectUnfit(self._last_words()) from error
        return _read(self._line())

    def end(self) -> float:
        """Let it end; its peak memory in MB."""
        assert self._process.stdin
        self._process.stdin.close()
        peak_mb = int(self._line()) / 1024
        self._process.wait(timeout=_END_S)
        return peak_mb

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                stream.close()

    def _line(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise SubjectUnfit(self._last_words())
        return line.rstrip("\n")

    def _last_words(self) -> str:
        status = self._process.wait(timeout=_END_S)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"the process ended with status {status}: {lines[-1][:300] if lines else 'it said nothing'}"


def _environment() -> dict[str, str]:
    """One BLAS thread, the code and the installed packages; what a development environment adds is left out."""
    path = [str(_ROOT), sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT") if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)), "OPENBLAS_NUM_THREADS": "1"}


def _read(line: str) -> Answer:
    document: dict[str, Any] = json.loads(line)
    if "error" in document:
        return Answer({}, (0.0, 0.0, 0.0), str(document["error"]))
    decode_ms, preprocess_ms, inference_ms = document["times_ms"]
    return Answer(document["scores"], (decode_ms, preprocess_ms, inference_ms))
