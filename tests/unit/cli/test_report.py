"""`tripoint report`: the same figures as a page, as Markdown and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from cli.commands.report import command
from tests.kits.page import three_clouds
from tests.paths import ROOT


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return three_clouds(warm=80).stored(tmp_path_factory.mktemp("run"))


def told(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(each) for each in arguments])


def test_a_report_writes_the_summary_the_markdown_and_the_page(run: Path) -> None:
    result = told(run)
    assert result.exit_code == 0, result.output
    assert {"summary.json", "report.md", "report.html", "prices.json"} <= {path.name for path in run.iterdir()}
    assert "report.html" in result.output
    for kind, name in (("json", "summary.json"), ("md", "report.md"), ("html", "report.html")):
        assert told(run, "--format", kind).stdout == (run / name).read_text(encoding="utf-8"), kind


def test_the_json_is_as_its_schema_says(run: Path) -> None:
    schema = json.loads((ROOT / "docs" / "summary.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(json.loads(told(run, "--format", "json").stdout))


def test_one_format_goes_to_a_file_and_the_run_stays_as_it_is(tmp_path: Path) -> None:
    run = three_clouds(warm=80).stored(tmp_path / "run")
    before = sorted(path.name for path in run.iterdir())
    out = tmp_path / "shared.html"
    result = told(run, "--format", "html", "--out", out)
    assert result.exit_code == 0, result.output
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert result.output == f"{out} is written.\n"
    assert sorted(path.name for path in run.iterdir()) == before


def test_wrong_words_are_answered_with_the_next_step(run: Path, tmp_path: Path) -> None:
    for arguments, words in (
        (["--out", tmp_path / "x.html"], "needs --format: html, md or json"),
        (["--format", "html", "--json"], "exclude each other"),
        (["--format", "html", "--out", tmp_path / "none" / "x.html"], "make it first"),
        (["--format", "pdf"], "'html', 'md', 'json'"),
    ):
        result = told(run, *arguments)
        assert result.exit_code == 2
        assert words in result.output, result.output
    assert "no run at" in told(tmp_path, "--format", "html").output
