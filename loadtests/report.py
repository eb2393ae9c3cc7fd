"""A run's folder, read and written: raw samples in, `summary.json` and `report.md` out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from loadtests.checks import check
from loadtests.cost.run import cost_of
from loadtests.markdown import report
from loadtests.prices.book import shipped_book
from loadtests.record import Record, read_record
from loadtests.summary import Summary, summarise

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.md"


def summarise_run(folder: Path) -> Summary:
    """Summarise the run in `folder` from its raw samples, at the newest prices that are shipped.

    Raises StoreError when there is no run to read.
    """
    return summarise_record(read_record(folder))


def summarise_record(record: Record) -> Summary:
    """The summary of a run with its cost and its checks."""
    book = shipped_book()
    costs = {target.name: cost_of(target, record.samples, book) for target in record.targets}
    header = {**record.header, "price_book": book.date}
    summary = summarise(header, record.targets, record.samples, costs, images=record.images)
    return replace(summary, checks=check(record, summary))


def write(folder: Path, summary: Summary) -> None:
    """Write `summary.json` and `report.md` into the run's folder."""
    document = json.dumps(summary.document(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY_NAME).write_text(document + "\n", encoding="utf-8")
    (folder / REPORT_NAME).write_text(report(summary), encoding="utf-8")
