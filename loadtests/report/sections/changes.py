"""The section on two versions that one run measured: what changed from the other to this one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from loadtests.analysis.against import BEFORE, NOTE, threshold_of
from loadtests.analysis.change import headline
from loadtests.report.blocks import Cell, Prose, Section, Table

if TYPE_CHECKING:
    from loadtests.analysis.change import Change
    from loadtests.analysis.summary import Summary

_ABOUT = (
    "Each cloud ran twice in this run, with this version and with {version}, whose targets end in {before}. A "
    "regression is significant after Holm's correction over all rows, and beyond {threshold:g} %."
)


def changes_section(summary: Summary) -> Section:
    """The section; the summary has changes."""
    changes = summary.changes or ()
    threshold = threshold_of(summary.run)
    about = _ABOUT.format(version=summary.run.get(NOTE), before=BEFORE, threshold=threshold * 100)
    said = f"{headline(changes, threshold)}."
    return Section("changes", "Against the other version", [Prose([about, said]), changes_table(changes)])


def changes_table(changes: Sequence[Change]) -> Table:
    """The changes as a table of the report."""
    rows = [[Cell(each.target), Cell(each.what), Cell(each.sentence, mark=_mark(each))] for each in changes]
    return Table("What changed", ["target", "figure", "change"], rows)


def _mark(change: Change) -> Literal["failed"] | None:
    return "failed" if change.regression else None
