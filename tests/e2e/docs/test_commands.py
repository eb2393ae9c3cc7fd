"""Commands of the documentation, run: the marked blocks of each page in order, and whatever else costs little."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kits.cli import Caller
from tests.kits.docs import Shown, commands, name_of, pages, scripts
from tests.paths import ROOT

_CHEAP = re.compile(
    r"tripoint (cost .*|prices|prices --cloud \w+|config.*|completion \w+|model list|model show clothes|deploy status"
    r"|predict model/samples.*)"
)
_LOCUST_FLAG = re.compile(r"(?<![\w-])--[a-z][a-z-]+")

_LOCUST_OPTIONS = """
from locust.argument_parser import get_empty_argument_parser, setup_parser_arguments
from loadtests.run.options import add_arguments
parser = get_empty_argument_parser()
setup_parser_arguments(parser)
add_arguments(parser)
print(parser.format_help())
"""


def cheap() -> list[Shown]:
    """Commands that need no run, no account and no network, once each."""
    found = {shown.words: shown for shown in commands() if shown.whole and _CHEAP.fullmatch(" ".join(shown.words))}
    return [shown for words, shown in found.items() if not any(word.isupper() for word in words)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As a checkout: the models and photographs are there, and `tripoint` is on the PATH."""
    (tmp_path / "model").symlink_to(ROOT / "model")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tripoint"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", [page for page in pages() if scripts(page)], ids=name_of)
def test_the_marked_blocks_of_a_page_run_in_order(page: Path, folder: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TRIPOINT_"))}
    variables |= {
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(folder),
        "NO_GCE_CHECK": "true",
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "XDG_DATA_HOME": str(folder / "data"),
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(scripts(page))],
        cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=540, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("shown", cheap(), ids=lambda shown: f"{shown.page}: {shown.text}")
def test_a_command_that_costs_little_runs(
    shown: Shown, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))
    words = [name for word in shown.words[1:] for name in expanded(word, folder)]
    ended = Caller(monkeypatch, capsys)(*words)
    assert ended.code == 0, ended.err
    assert ended.out


def expanded(word: str, folder: Path) -> list[str]:
    """As a shell expands it."""
    return sorted(str(path) for path in folder.glob(word)) if "*" in word else [word]


def test_the_options_of_locust_on_the_pages_exist() -> None:
    command = [sys.executable, "-c", _LOCUST_OPTIONS]  # apart: locust patches the process that imports it
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    known = set(_LOCUST_FLAG.findall(done.stdout))
    lines = "\n".join(page.read_text(encoding="utf-8").replace("\\\n", " ") for page in pages()).splitlines()
    shown = [line.partition(" #")[0] for line in lines if line.strip().startswith("locust -f")]
    assert shown
    for line in shown:
        assert set(_LOCUST_FLAG.findall(line)) <= known, line
