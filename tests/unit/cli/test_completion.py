"""What shells complete: commands, options and values; asked as each shell's script asks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import get_completion_class

from cli.commands.completion import VARIABLE
from cli.main import tripoint
from loadtests.plan.scenarios import SCENARIOS
from tests.paths import ROOT

CASES = [
    (["com"], ["compare", "completion"]),
    (["compare", "--cl"], ["--clouds"]),
    (["compare", "--clouds", ""], ["aws", "azure", "gcp"]),
    (["compare", "--clouds", "aws,"], ["aws,azure", "aws,gcp"]),
    (["compare", "--scenario", ""], list(SCENARIOS)),
    (["predict", "--model", "clo"], ["clothes"]),
    (["bundle", "g"], ["gcp"]),
    (["serve", "a"], ["aws", "azure", "all"]),
    (["tune", "--strategy", "b"], ["balanced"]),
    (["deploy", "ap"], ["apply"]),
    (["cost", "--plan", "snap"], ["snapstart"]),
    (["completion", ""], ["bash", "zsh", "fish"]),
    (["check", "runs/"], ["runs/second", "runs/first"]),
    (["runs", "show", "runs/s"], ["runs/second"]),
    (["runs", "delete", "runs/f"], ["runs/first"]),
    (["diff", "runs/first", ""], ["runs/second", "runs/first"]),
]


@pytest.fixture(autouse=True)
def two_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a folder with two runs."""
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "samples.sqlite").touch()


@pytest.mark.parametrize(("words", "expected"), CASES, ids=[" ".join(words) for words, _ in CASES])
def test_names_and_values_are_proposed(words: list[str], expected: list[str]) -> None:
    shell = get_completion_class("bash")
    assert shell is not None
    found = shell(tripoint, {}, "tripoint", VARIABLE).get_completions(words[:-1], words[-1])
    assert [each.value for each in found] == expected


def test_a_value_that_nothing_is_known_of_is_completed_as_a_file() -> None:
    shell = get_completion_class("bash")
    assert shell is not None
    found = shell(tripoint, {}, "tripoint", VARIABLE).get_completions(["predict"], "phot")
    assert [each.type for each in found] == ["file"]


SCRIPTS = {
    "bash": 'eval "$(tripoint completion bash)"\n'
    "COMP_WORDS=(tripoint compare --clouds aws,); COMP_CWORD=3\n_tripoint_completion tripoint\n"
    'echo "${COMPREPLY[@]}"',
    "zsh": 'autoload -Uz compinit; compinit -u -D; eval "$(tripoint completion zsh)"\n'
    "compadd() { shift 4; print -r -- ${(P)1} }\n"
    "words=(tripoint compare --clouds aws,); CURRENT=4\n_tripoint_completion",
    "fish": "tripoint completion fish | source\n"
    "complete --do-complete 'tripoint compare --clouds aws,' | string join ' '",
}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_the_script_of_each_shell_completes_in_that_shell(shell: str, tmp_path: Path) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here: its script is not tried")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "tripoint"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cli "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    variables = {
        "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "HOME": str(tmp_path),
    }
    done = subprocess.run(
        [shell, "-c", SCRIPTS[shell]], env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout.split() == ["aws,azure", "aws,gcp"], done


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_where_to_put_it(shell: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "completion", shell],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1].startswith("# To use it: ")
