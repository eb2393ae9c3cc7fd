"""Write an evaluation's folder, and its table and pictures into a page."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from model.evaluation.document import document, write_answers
from model.evaluation.report import markdown, several

if TYPE_CHECKING:
    from model.evaluation.evaluation import Evaluation

BEGIN, END = "<!-- evaluation: begin -->", "<!-- evaluation: end -->"
FRONTIER, CONFUSION = "frontier.svg", "confusion.svg"


def write(found: Evaluation, folder: Path) -> None:
    """`report.md`, `evaluation.json`, `answers.jsonl.gz` and the two pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    _draw(found, folder)
    _write(folder / "report.md", markdown(found, frontier=FRONTIER, confusion=CONFUSION))
    _write(folder / "evaluation.json", json.dumps(document(found), indent=1, ensure_ascii=False) + "\n")
    write_answers(found, folder / "answers.jsonl.gz")


def check_page(page: Path) -> None:
    """Raise ValueError when `page` has not exactly one pair of marks: before anything is measured."""
    _parts(page)


def update_page(found: Evaluation, page: Path) -> None:
    """Replace what lies between the page's marks; the pictures go into the folder `pictures` beside it."""
    before, after = _parts(page)
    folder = page.parent / "pictures"
    folder.mkdir(exist_ok=True)
    prefix = f"{found.preferred.subject.model}-"
    _draw(found, folder, prefix=prefix)
    pictures = {"frontier": f"pictures/{prefix}{FRONTIER}", "confusion": f"pictures/{prefix}{CONFUSION}"}
    _write(page, f"{before}{BEGIN}\n\n{markdown(found, **pictures).strip()}\n\n{END}{after}")


def _draw(found: Evaluation, folder: Path, *, prefix: str = "") -> None:
    from model.evaluation.pictures import confusion_svg, frontier_svg

    row = found.preferred
    _write(folder / f"{prefix}{FRONTIER}", frontier_svg(found.rows, several_models=several(found)))
    _write(folder / f"{prefix}{CONFUSION}", confusion_svg(row.counts, found.labels, title=row.subject.name))


def _parts(page: Path) -> tuple[str, str]:
    before, begin, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"{page}: expected one line {BEGIN} and, after it, one line {END}")
    return before, after


def _write(file: Path, text: str) -> None:
    """In one step: a reader sees the old file or the new one."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(text, encoding="utf-8")
    partial.replace(file)
