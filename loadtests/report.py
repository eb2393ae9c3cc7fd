"""A run's folder, read and written: raw samples in, `summary.json` and `report.md` out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from loadtests.cost.run import cost_of
from loadtests.markdown import report
from loadtests.prices.book import shipped_book
from loadtests.store import open_store
from loadtests.summary import Summary, summarise
from loadtests.targets import Target

if TYPE_CHECKING:
    from pathlib import Path

SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.md"


def summarise_run(folder: Path) -> Summary:
    """Summarise the run in `folder` from its raw samples, at the newest prices that are shipped.

    Raises StoreError when there is no run to read.
    """
    with open_store(folder) as store:
        header, samples = store.header(), store.samples()
    targets = [Target.from_document(each) for each in header["targets"]]
    book = shipped_book()
    costs = {target.name: cost_of(target, samples, book) for target in targets}
    return summarise({**header, "price_book": book.date}, targets, samples, costs)


def write(folder: Path, summary: Summary) -> None:
    """Write `summary.json` and `report.md` into the run's folder."""
    document = json.dumps(summary.document(), indent=2, ensure_ascii=False, allow_nan=False)
    (folder / SUMMARY_NAME).write_text(document + "\n", encoding="utf-8")
    (folder / REPORT_NAME).write_text(report(summary), encoding="utf-8")
