"""Read a run's folder, and write `summary.json`, `report.md` and `report.html` into it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from loadtests.analysis.against import changes_against
from loadtests.analysis.checks import check
from loadtests.analysis.summary import Summary, summarise
from loadtests.analysis.sweep import sweep_result
from loadtests.cost.measured import cost_of
from loadtests.expected.estimate import expected_targets
from loadtests.prices.book import bundled_book
from loadtests.prices.run_prices import book_of_run, keep_book
from loadtests.record.run_data import RunData, read_run
from loadtests.report.markdown import render_markdown
from loadtests.report.sections.context import ReportContext

if TYPE_CHECKING:
    from loadtests.prices.book import PriceBook
    from loadtests.report.document import Document

SUMMARY_NAME = "summary.json"
REPORT_NAME = "report.md"
PAGE_NAME = "report.html"

Format = Literal["html", "md", "json"]
NAMES: dict[Format, str] = {"json": SUMMARY_NAME, "md": REPORT_NAME, "html": PAGE_NAME}


def summarise_run(run: Path, *, prices: str | None = None) -> Summary:
    """Summarise the run in a folder (or of a store's file) from its raw samples.

    It is costed with the price book `prices`; without that name with the one that is kept beside the run, or else
    the newest. Raises StoreError when there is no run to read, PriceError for a book that is not known.
    """
    return summarise_run_data(read_run(run), book_of_run(folder_of(run), prices))


def report_run(folder: Path) -> Summary:
    """Summarise a run and write its reports beside it; its store is read once. Raises StoreError, PriceError."""
    data = read_run(folder)
    summary = summarise_run_data(data, book_of_run(folder, None))
    write_reports(folder, summary, data=data)
    return summary


def folder_of(run: Path) -> Path:
    """The run's folder, for its folder or its store's file."""
    return run if run.is_dir() else run.parent


def summarise_run_data(record: RunData, book: PriceBook | None = None) -> Summary:
    """The summary of a run with its cost, its checks, and the result where it was a sweep.

    `book` None: the newest prices that are shipped.
    """
    book = book or bundled_book()
    costs = {target.name: cost_of(target, record.samples, book) for target in record.targets}
    header = {**record.header, "price_book": book.date}
    summary = summarise(header, record.targets, record.samples, costs, images=record.images)
    whole = replace(
        summary,
        sweep=sweep_result(header, summary.targets, record.columns),
        changes=changes_against(header, record.columns),
        expected=None if record.empty is None else expected_targets(record, year=int(str(header["started_at"])[:4])),
    )
    return replace(whole, checks=check(record, whole))


def render(run: Path, summary: Summary, kind: Format, *, data: RunData | None = None) -> str:
    """Render the summary of the run in a folder (or of a store's file) in one format.

    HTML and Markdown are made from the run's samples too: `data`, where they have been read. Raises StoreError when
    there is no run to read.
    """
    if kind == "json":
        return json.dumps(summary.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    document = compose_run(run, summary, data=data)
    return RENDERERS[kind](document)


def compose_run(run: Path, summary: Summary, *, data: RunData | None = None) -> Document:
    """Return the report of a run as the document that HTML and Markdown are rendered from. Raises StoreError."""
    from loadtests.report.document import compose  # its charts take their time to load

    book = _book(folder_of(run), summary.run["price_book"])
    return compose(ReportContext(summary, data or read_run(run), book))


def _book(folder: Path, date: str) -> PriceBook:
    """The book of that date: the one kept with the run, which may be on no shelf here, or another."""
    kept = book_of_run(folder)
    return kept if kept.date == date else book_of_run(folder, date)


def write_reports(folder: Path, summary: Summary, *, data: RunData | None = None) -> None:
    """Write `summary.json`, `report.md` and `report.html` into the run's folder, which holds its store.

    The first time, the price book that it was costed with is kept there too.
    """
    keep_book(folder, summary.run["price_book"])
    _write(folder / SUMMARY_NAME, render(folder, summary, "json"))
    document = compose_run(folder, summary, data=data)
    for kind, renderer in RENDERERS.items():
        _write(folder / NAMES[kind], renderer(document))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _html(document: Document) -> str:
    from loadtests.report.html_page import render_html  # Jinja2 takes its time to load

    return render_html(document)


RENDERERS: dict[Format, Callable[[Document], str]] = {"md": render_markdown, "html": _html}  # the page takes longest
