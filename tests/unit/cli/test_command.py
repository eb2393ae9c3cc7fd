"""The command line: what it lists, and that it works on photographs."""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.framework.help_overview import SECTIONS
from cli.main import tripoint
from tests.kits.cli import every_command
from tests.paths import ROOT

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
HUE = re.compile(r"\x1b\[(?:[0-9]+;)*(?:3[0-7]|38|9[0-7])(?:;[0-9]+)*m")


def call(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120, check=False
    )


def on_a_terminal(*words: str, **environ: str) -> str:
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli", *words]
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "CI", "FORCE_COLOR")}
    variables |= {"TERM": "xterm-256color", "COLUMNS": "100", **environ}
    with subprocess.Popen(command, cwd=ROOT, env=variables, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        written = bytearray()
        while part := read(ours):
            written += part
        os.close(ours)
        assert process.wait(timeout=120) == 0
    return written.decode()


def read(terminal: int) -> bytes:
    """The next bytes; none when the other side is closed, which Linux says with an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def names() -> list[str]:
    return tripoint.list_commands(click.Context(tripoint))


def test_the_help_shows_every_command_on_one_screen() -> None:
    shown = CliRunner().invoke(tripoint, ["--help"]).output
    for name in names():
        assert re.search(rf"^(?:\w+)? +{name} +\w", shown, re.MULTILINE), name
    assert len(shown.splitlines()) <= 24
    assert max(map(len, shown.splitlines())) <= 80
    assert "Exit codes: 0 done" in shown


def test_every_listed_command_exists_and_every_command_is_listed() -> None:
    assert {name for section in SECTIONS.values() for name in section} == set(names())


@pytest.mark.parametrize(
    "words", [[], *([name] for name in names()), *(path for path, _ in every_command().values())]
)
def test_every_command_has_help_that_fits_a_terminal(words: list[str]) -> None:
    result = CliRunner().invoke(tripoint, [*words, "--help"])
    assert result.exit_code == 0, result.output
    assert max(map(len, result.output.splitlines())) <= 80


@pytest.mark.parametrize("name", ["deploy", "model", "runs"])
def test_the_words_beside_the_commands_of_a_group_are_not_cut(name: str) -> None:
    shown = CliRunner().invoke(tripoint, [name, "--help"]).output.partition("Commands:")[2].partition("Example")[0]
    assert len(shown.strip().splitlines()) == len([path for path, _ in every_command().values() if path[0] == name])
    assert "..." not in shown


@pytest.mark.parametrize("words", every_command())
def test_every_command_has_an_example(words: str) -> None:
    result = CliRunner().invoke(tripoint, [*words.split(), "--help"])
    assert re.search(rf"Examples?: .*tripoint {words}", " ".join(result.output.split())), result.output


def test_the_help_needs_none_of_the_heavy_packages() -> None:
    script = "import sys, cli.main; cli.main.tripoint(['--help'], standalone_mode=False); print(*sys.modules)"
    command = [sys.executable, "-c", script]
    seen = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    heavy = {"numpy", "locust", "gevent", "boto3", "scipy", "rich", "PIL", "sqlite3"}
    assert not heavy & set(seen.stdout.splitlines()[-1].split())


def test_a_terminal_gets_styles_and_a_pipe_gets_plain_text() -> None:
    assert COLOUR.search(on_a_terminal("prices", "--cloud", "aws"))
    piped = call("prices", "--cloud", "aws")
    assert piped.returncode == 0
    assert not COLOUR.search(piped.stdout)


def test_no_color_takes_the_colours_from_a_terminal() -> None:
    assert not HUE.search(on_a_terminal("prices", "--cloud", "aws", NO_COLOR="1"))


def test_a_reader_that_goes_away_ends_the_command_without_a_word() -> None:
    python = shlex.quote(sys.executable)
    command = f"{python} -m cli cost --duration-ms 60 --json | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    assert done.stderr == ""
    assert done.stdout.strip() in {"141", "0"}  # 0 where everything fitted into the pipe before head left


def test_predict_on_a_broken_photograph_answers_with_the_reason_and_exit_code_1(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 not a photograph")
    done = call("predict", str(broken))
    assert done.returncode == 1, done.stderr
    assert str(broken) in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_classifies_the_sample_photographs(sample_paths: list[Path]) -> None:
    done = call("predict", "--top-k", "1", *map(str, sample_paths[:3]))
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3


def test_python_dash_m_cli_is_the_same_command() -> None:
    assert call("--version").stdout.startswith("tripoint, version ")
