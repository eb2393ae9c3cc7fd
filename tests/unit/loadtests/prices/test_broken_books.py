"""A book that is broken, or no book at all, is told in one sentence and stops nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.cost import command
from loadtests.prices.book import read_book
from loadtests.prices.library import book_document, names, open_book
from loadtests.prices.rate import PriceError


def changed(path: list[Any], value: Any) -> dict[str, Any]:
    """The shipped book with one entry replaced, or removed for None."""
    document: dict[str, Any] = json.loads(json.dumps(book_document()))
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


REQUESTS = ["clouds", "aws", "sheets", "lambda", "rates", "requests"]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["clouds", "aws", "sheets"], None, "lacks 'sheets'"),
        (["clouds", "aws", "regions"], None, "lacks 'regions'"),
        (["clouds", "aws"], [], "not built as one"),
        ([*REQUESTS, "usd"], "NaN", "expected a number"),
        ([*REQUESTS, "usd"], "Infinity", "expected a number"),
        ([*REQUESTS, "per"], "0", "expected a number of units above 0"),
        ([*REQUESTS, "unit"], None, "lacks 'unit'"),
    ],
)
def test_a_broken_book_is_refused_with_what_is_wrong(path: list[Any], value: Any, said: str) -> None:
    with pytest.raises(PriceError, match=said):
        read_book(changed(path, value))


def test_a_file_that_is_no_book_is_refused_and_one_of_another_name_is_no_book(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("[]")
    (tmp_path / "zz.json").write_text("{}")
    assert "notes" not in names(tmp_path)
    assert open_book(folder=tmp_path).date == open_book(folder=tmp_path / "none").date
    (tmp_path / "2099-01-01.json").write_text("[]")
    with pytest.raises(PriceError, match=r"2099-01-01\.json has schema None"):
        open_book(folder=tmp_path)


def test_cost_says_when_its_prices_were_read_long_ago(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPOINT_PRICES", str(tmp_path))
    fresh = CliRunner().invoke(command, ["--duration-ms", "60", "--json"], catch_exceptions=False)
    assert "days ago" not in fresh.stderr
    document = json.loads(json.dumps(book_document()))
    old = (datetime.now(UTC).date() - timedelta(days=1062)).isoformat()
    for section in document["clouds"].values():
        for sheet in section["sheets"].values():
            sheet["read"] = old
    (tmp_path / "2099-01-01.json").write_text(json.dumps({**document, "date": "2099-01-01"}))
    stale = CliRunner().invoke(command, ["--duration-ms", "60", "--json"], catch_exceptions=False)
    assert "some prices were read 1062 days ago" in stale.stderr
