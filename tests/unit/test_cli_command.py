"""The command line: what it lists, and how it answers wrong use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cli.main import tripoint

ROOT = Path(__file__).resolve().parent.parent.parent


def call(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, as a user does."""
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def names() -> list[str]:
    return tripoint.list_commands(click.Context(tripoint))


def test_the_help_lists_every_command_with_one_line_each() -> None:
    shown = CliRunner().invoke(tripoint, ["--help"]).output
    assert {"compare", "predict", "report", "serve"} <= set(names())
    for name in names():
        assert f"\n  {name} " in shown


@pytest.mark.parametrize("name", names())
def test_every_command_has_help_with_an_example(name: str) -> None:
    result = CliRunner().invoke(tripoint, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "xample" in result.output, f"tripoint {name} --help shows no example"


def test_an_unknown_command_is_one_sentence_and_exit_code_2() -> None:
    done = call("comapre")
    assert done.returncode == 2
    assert "No such command 'comapre'" in done.stderr
    assert "Traceback" not in done.stderr


def test_predict_names_a_missing_file_and_what_to_give() -> None:
    done = call("predict", "nowhere.jpg")
    assert done.returncode == 2
    assert "nowhere.jpg is not a file" in done.stderr
    assert "Traceback" not in done.stderr


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


def test_compare_refuses_an_unknown_cloud_before_it_starts_anything() -> None:
    done = call("compare", "--clouds", "aws,oracle")
    assert done.returncode == 2
    assert "unknown cloud 'oracle': expected one of aws, azure, gcp" in done.stderr


def test_compare_refuses_a_folder_of_images_that_is_not_there() -> None:
    done = call("compare", "--images", "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr
