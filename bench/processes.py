"""Subjects as processes: started bare, spoken to line by line, ended with us."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench.inputs import REPOSITORY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class SubjectFailed(Exception):
    """A subject that did not answer; the message has its last lines."""


@dataclass(frozen=True, slots=True)
class BenchSubject:
    """One program of `bench.subjects`. `path` comes before the repository and the installed packages."""

    name: str
    module: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    path: tuple[Path, ...] = ()
    python: str = sys.executable
    write_bytecode: bool = True

    def command(self, work: Path) -> list[str]:
        """Without `site`: what a development environment hangs into it is no part of a function's start."""
        code = f"from bench.subjects.{self.module} import main; main()"
        flags = ["-S", *([] if self.write_bytecode else ["-B"])] if self.python == sys.executable else ["-B"]
        return [self.python, *flags, "-c", code, str(work), *self.arguments]

    def environment(self) -> dict[str, str]:
        """As bare as a function's, with one BLAS thread; the log is written as always."""
        packages = [sysconfig.get_paths()["purelib"], sysconfig.get_paths()["platlib"]]
        path = [*map(str, self.path), str(REPOSITORY), *(packages if self.python == sys.executable else [])]
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        bare = {"PYTHONPATH": os.pathsep.join(path), "OPENBLAS_NUM_THREADS": "1"}
        return {**kept, **bare, "TRIPOINT_POOL": "1", "TRIPOINT_AUTH_LEVEL": "ANONYMOUS", **self.variables}


class RunningSubject:
    """A subject that is up."""

    def __init__(self, subject: BenchSubject, work: Path) -> None:
        self.subject = subject
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill(); a pipe that nobody reads would block
        started_s = time.perf_counter()
        self._process = subprocess.Popen(
            subject.command(work), env=subject.environment(), cwd=work, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
        )  # fmt: skip
        ready = self._line("ready")
        self.cold_s = time.perf_counter() - started_s
        self.cold_cpu_s = float(ready.split()[1])

    def answer(self, number: int) -> float:
        """Let it answer image `number`; the seconds that it took by its own clock."""
        assert self._process.stdin
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        return float(self._line(""))

    def end(self) -> float:
        """Let it end; its peak memory in MB."""
        assert self._process.stdin
        self._process.stdin.close()
        peak_mb = int(self._line("")) / 1024
        self._process.wait(timeout=60)
        self.kill()
        return peak_mb

    def kill(self) -> None:
        """Leave nothing behind."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                stream.close()

    def _line(self, prefix: str) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line.startswith(prefix) or not line:
            if line:
                self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            last = self._errors.read()[-2000:].decode(errors="replace")
            self.kill()
            raise SubjectFailed(f"{self.subject.name}: {last or line or 'no answer'}")
        return line


@contextmanager
def running(subjects: list[BenchSubject], work: Path) -> Iterator[list[RunningSubject]]:
    """All subjects up at once."""
    started: list[RunningSubject] = []
    try:
        for subject in subjects:
            started.append(RunningSubject(subject, work))  # one by one: those before a failure must be ended
        yield started
    finally:
        for one in started:
            one.kill()


def output(subject: BenchSubject, work: Path) -> str:
    """The standard output of a subject that runs by itself and ends."""
    done = subprocess.run(
        subject.command(work), env=subject.environment(), cwd=work, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SubjectFailed(f"{subject.name}: {done.stderr[-2000:]}")
    return done.stdout
