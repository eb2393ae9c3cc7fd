"""Run each subject in a bare process, and ask it line by line."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from bench.inputs import REPOSITORY
from loadtests.selftest.line_process import LineProcess, ProcessEnded, bare_environment, packages

T = TypeVar("T")


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
        """As bare as a function's; the log is written as always."""
        installed = packages() if self.python == sys.executable else []
        variables = {"TRIPOINT_POOL": "1", "TRIPOINT_AUTH_LEVEL": "ANONYMOUS", **self.variables}
        return bare_environment([*map(str, self.path), str(REPOSITORY), *installed], variables)


class RunningSubject:
    """A subject that is up."""

    def __init__(self, subject: BenchSubject, work: Path) -> None:
        """Start the subject and wait until it is ready. Raises SubjectFailed."""
        self.subject = subject
        self._process = LineProcess(subject.command(work), subject.environment(), folder=work)
        ready = self._told(self._process.read).split()
        self.cold_s = time.perf_counter() - self._process.started_s
        if ready[0] != "ready":
            self.kill()
            raise SubjectFailed(f"{subject.name}: {' '.join(ready)}")
        self.cold_cpu_s = float(ready[1])

    def answer(self, number: int) -> float:
        """Let it answer image `number`; return the seconds that it took by its own clock."""
        return float(self._told(lambda: self._process.ask(str(number))))

    def end(self) -> float:
        """Let it end; return its peak memory in MB."""
        peak_mb = self._told(self._process.end)
        self.kill()
        return peak_mb

    def kill(self) -> None:
        """Leave nothing behind."""
        self._process.kill()

    def _told(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except ProcessEnded as error:
            self.kill()
            raise SubjectFailed(f"{self.subject.name}: {error}") from error


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
