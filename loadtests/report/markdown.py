"""Render a report as Markdown: the same document as the page, with tables in place of charts. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from loadtests.report.blocks import Code, Controls, Figure, Points, Prose, Table

if TYPE_CHECKING:
    from loadtests.report.blocks import Block, Cell
    from loadtests.report.document import Document
    from loadtests.report.sections.header import ReportHeader

_TAG = re.compile(r"<(?=[a-zA-Z/!])")


def render_markdown(document: Document) -> str:
    """Return the whole report as Markdown, ending in a newline."""
    parts = [*_header(document.header)]
    for section in document.sections:
        parts.append(f"## {section.title}")
        for block in section.blocks:
            parts += _block(block)
    return "\n\n".join(parts) + "\n"


def _header(header: ReportHeader) -> Iterator[str]:
    yield f"# {_text(header.title)}"
    if header.subtitle:
        yield _text(header.subtitle)
    if header.cannot_say:
        yield "## What this run cannot say"
        yield _list(header.cannot_say)
    yield "## Verdict"
    for verdict in header.verdicts:
        yield f"**{_text(verdict.question)}** ({verdict.word}): {_text(verdict.answer)}"
        if verdict.evidence:
            yield _list(verdict.evidence)
    if header.failed:
        yield f"**{len(header.failed)} of this run's checks failed** ({', '.join(header.failed)}): see below."


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose(paragraphs=paragraphs, of_charts=False):
            yield from map(_text, paragraphs)
        case Points(items=items):
            if items:
                yield _list(items)
        case Table():
            yield from render_table(block)
        case Figure(table=Table() as table):
            yield from render_table(table)
        case Code(text=text, title=title, folded=folded):
            if not folded:  # long, and kept in the run's other files
                yield from (f"**{title}**",) if title else ()
                yield f"```\n{text}\n```"
        case Prose() | Figure() | Controls():  # about charts; their figures are in tables of the same section
            pass


def render_table(table: Table) -> Iterator[str]:
    """Yield a table's caption and its rows, as paragraphs of Markdown."""
    yield f"**{_text(table.caption)}**"
    if not table.rows:
        yield "Nothing."
        return
    numbers = [cell.number for cell in table.rows[0]]
    lines = [_row(map(_text, table.headings)), _row("--:" if each else "---" for each in numbers)]
    yield "\n".join([*lines, *(_row(map(_cell, row)) for row in table.rows)])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    """The text, with its small print in parentheses and its interval in brackets."""
    text, note = _text(cell.text), _text(cell.note)
    if not note:
        return text
    return f"{text} [{note}]" if cell.interval else f"{text} ({note})"


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {_text(each)}" for each in items)


def _text(text: str) -> str:
    """In one line, with no sign that Markdown or its HTML would take for its own."""
    return _TAG.sub("&lt;", text.replace("|", "\\|").replace("\n", " "))
