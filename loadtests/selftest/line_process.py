"""A program that is measured in a process of its own: it answers a line on its output for each line it reads."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_END_S = 60.0
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT")


class ProcessEnded(Exception):
    """The process gave no further line; the message has its status and the end of what it wrote."""


def packages() -> list[str]:
    """Return the folders of the installed packages, for PYTHONPATH."""
    return list(dict.fromkeys([sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]))


def bare_environment(path: Sequence[str], variables: Mapping[str, str]) -> dict[str, str]:
    """Return variables as bare as a function's, with one BLAS thread and `path` to import from."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": os.pathsep.join(path), "OPENBLAS_NUM_THREADS": "1", **variables}


class LineProcess:
    """A started program; a context that leaves nothing behind."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], *, folder: Path | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill(); a pipe that nobody reads would block
        self.started_s = time.perf_counter()
        self._process = subprocess.Popen(
            command, env=environment, cwd=folder, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def read(self) -> str:
        """Return the next line, without its end. Raises ProcessEnded when there is none."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise ProcessEnded(self._last_words())
        return line.rstrip("\n")

    def ask(self, line: str) -> str:
        """Send a line and return the answer. Raises ProcessEnded."""
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise ProcessEnded(self._last_words()) from error
        return self.read()

    def end(self) -> float:
        """Let the program end; return its peak memory in MB, which is its last line, in kB."""
        assert self._process.stdin
        self._process.stdin.close()
        peak_mb = int(self.read()) / 1024
        self._process.wait(timeout=_END_S)
        return peak_mb

    def kill(self) -> None:
        """End the process, whatever it does; harmless when it has ended."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                stream.close()

    def _last_words(self) -> str:
        status = self._process.wait(timeout=_END_S)
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return f"the process ended with status {status}: {lines[-1][:300] if lines else 'it wrote nothing'}"
