from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.commands import check, report
from loadtests.record.store import FILE_NAME, Store
from tests.golden.test_report import made_up_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    record = made_up_run()
    with Store.create(tmp_path / FILE_NAME, record.header) as store:
        store.append(record.samples)
        for event in record.events:
            store.record(event)
    return tmp_path


def test_check_lists_what_is_wrong_with_the_remedy_and_exits_1(run: Path) -> None:
    result = CliRunner().invoke(check.command, [str(run)])
    assert result.exit_code == 1
    assert "client-cpu" in result.output
    assert "lower the rate" in result.output


def test_check_prints_the_same_as_json(run: Path) -> None:
    found = json.loads(CliRunner().invoke(check.command, [str(run), "--json"]).output)
    assert {each["name"]: each["state"] for each in found}["client-cpu"] == "failed"


@pytest.mark.parametrize("command", [check.command, report.command], ids=["check", "report"])
def test_a_folder_without_a_run_exits_2_and_says_what_was_expected(command: object, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, [str(tmp_path)])  # type: ignore[arg-type]
    assert result.exit_code == 2
    assert "expected a run folder" in result.output


def test_report_writes_both_files_and_prints_table_and_verdicts(run: Path) -> None:
    result = CliRunner().invoke(report.command, [str(run)])
    assert result.exit_code == 0
    assert "aws is faster than azure warm" in result.output.replace("\n", " ")
    assert json.loads((run / "summary.json").read_text(encoding="utf-8"))["schema"] == 1
    assert "## Can it be trusted?" in (run / "report.md").read_text(encoding="utf-8")


def test_report_prints_the_document_it_wrote(run: Path) -> None:
    printed = CliRunner().invoke(report.command, [str(run), "--json"]).output
    assert json.loads(printed) == json.loads((run / "summary.json").read_text(encoding="utf-8"))


def test_a_report_made_twice_is_the_same(run: Path) -> None:
    texts = []
    for _ in range(2):
        CliRunner().invoke(report.command, [str(run)])
        texts.append((run / "summary.json").read_bytes() + (run / "report.md").read_bytes())
    assert texts[0] == texts[1]
