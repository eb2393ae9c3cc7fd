"""A command whose reader leaves ends as if SIGPIPE had ended it: exit code 141, and nothing on standard error."""

from __future__ import annotations

import fcntl
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.paths import ROOT

PIPE_CLOSED = 141
PAGE_BYTES = 4096  # the smallest pipe that Linux makes: a longer output waits for its reader
PRINTING = [
    "--help",
    "--version",
    "compare --help",
    "config",
    "cost --duration-ms 60",
    "cost --duration-ms 60 --json",
    "prices",
    "prices --json",
    "doctor",
    "doctor --json",
    "runs list --in {folder}",
    "model list",
    "model show clothes",
    "completion bash",
]


def start(words: str, folder: Path, *, stderr: int = subprocess.PIPE) -> tuple[subprocess.Popen[bytes], int]:
    """Start a command whose standard output is a small pipe; return the process and the end to read from.

    PYTHONUNBUFFERED is not set: with it, Python itself loses the rest of a partial write without an error.
    """
    reader, writer = os.pipe()
    if sys.platform == "linux":
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, PAGE_BYTES)
    command = [sys.executable, "-m", "cli", *words.format(folder=folder).split()]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=writer, stderr=stderr)
    os.close(writer)
    return process, reader


@pytest.mark.parametrize("words", PRINTING)
def test_a_command_without_a_reader_exits_with_141_and_is_silent(words: str, tmp_path: Path) -> None:
    process, reader = start(words, tmp_path)
    os.close(reader)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (PIPE_CLOSED, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe be small")
@pytest.mark.parametrize("words", ["config", "cost --duration-ms 60 --json", "prices", "prices --json"])
def test_a_command_whose_reader_leaves_after_a_line_exits_with_141_and_is_silent(words: str, tmp_path: Path) -> None:
    process, reader = start(words, tmp_path)
    with os.fdopen(reader, "rb", buffering=0) as stream:
        while stream.read(1) != b"\n":
            pass
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (PIPE_CLOSED, b"")


@pytest.mark.parametrize("words", ["nonsense", "cost", "check {folder}"])
def test_an_error_that_nobody_reads_exits_with_141(words: str, tmp_path: Path) -> None:
    process, reader = start(words, tmp_path, stderr=subprocess.STDOUT)
    os.close(reader)
    assert process.wait(timeout=120) == PIPE_CLOSED


@pytest.mark.parametrize(("words", "code"), [("cost --duration-ms 60", 0), ("check {folder}", 2)])
def test_a_command_whose_output_was_closed_before_it_began_keeps_its_own_exit_code(
    words: str, code: int, tmp_path: Path
) -> None:
    command = f"exec {shlex.quote(sys.executable)} -m cli {words.format(folder=shlex.quote(str(tmp_path)))} >&-"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, timeout=120, check=False)
    assert done.returncode == code
    assert b"Traceback" not in done.stderr


def test_a_command_whose_reader_stays_keeps_its_own_exit_code(tmp_path: Path) -> None:
    process, reader = start("check {folder}", tmp_path)
    _, errors = process.communicate(timeout=120)
    os.close(reader)
    assert process.returncode == 2
    assert errors
