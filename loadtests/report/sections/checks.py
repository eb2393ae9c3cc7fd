"""The section on trust: what became of every request, how late they left, what the checks found. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from loadtests.analysis.target_summary import LATE_MS
from loadtests.report.blocks import Cell, Prose, Section, Table, count_cell
from loadtests.stats.formatting import MISSING, format_number

if TYPE_CHECKING:
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.record.columns import Columns
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext

_COUNTS = (
    "requests",
    "warm",
    "cold",
    "pre-initialised",
    "unknown",
    "warm-up",
    "failed",
    "timed out",
    "dropped",
    "late",
)
_EVERY = (
    "Nothing is discarded: what was late, dropped or timed out is counted here and in the percentiles. Late means "
    f"sent more than {format_number(LATE_MS)} ms after the intended time."
)
_CHECKED = "What was looked at to trust this run. A check is unknown where the run holds nothing to judge it by."


def counts(context: ReportContext) -> Section:
    """Errors, drops, slip."""
    blocks: list[Block] = [Prose([_EVERY]), _every(context)]
    kinds = list(_kinds(context))
    if kinds:
        blocks.append(Table("What went wrong", ["target", "error", "requests"], kinds))
    return Section("requests", "Errors, drops and slip", [*blocks, _slip(context)])


def checks(context: ReportContext) -> Section:
    """Each check with what to do where it failed; those that failed first."""
    order = {"failed": 0, "unknown": 1, "passed": 2}
    rows = [
        [Cell(each.name), Cell(each.state, mark=each.state), Cell(each.finding, each.remedy)]
        for each in sorted(context.summary.checks, key=lambda each: order[each.state])
    ]
    table = Table("Checks of the run and its client", ["check", "state", "what was found, and what to do"], rows)
    return Section("checks", "Can it be trusted?", [Prose([_CHECKED]), table])


def _every(context: ReportContext) -> Table:
    rows = [[Cell(look.name, key=look.key), *map(count_cell, _counts(part))] for look, part, _ in context.each()]
    return Table("What became of every request", ["target", *_COUNTS], rows)


def _counts(part: TargetSummary) -> tuple[int, ...]:
    kinds = (part.requests, part.warm.n, part.cold.n, part.pre_initialised, part.unknown.n, part.warm_up)
    return (*kinds, part.errors - part.timeouts, part.timeouts, part.dropped, part.late)


def _kinds(context: ReportContext) -> Iterator[list[Cell]]:
    for look, part, _ in context.each():
        for kind, count in part.error_kinds.items():
            yield [Cell(look.name, key=look.key), Cell(kind), count_cell(count)]


def _slip(context: ReportContext) -> Table:
    rows = [[Cell(look.name, key=look.key), *_slips(columns)] for look, _, columns in context.each()]
    caption = "Slip: how long after the intended time requests were sent, ms"
    return Table(caption, ["target", "sent", "p50", "p99", "largest"], rows, folded=True)


def _slips(columns: Columns) -> list[Cell]:
    slips = columns.slip_ms[~np.isnan(columns.slip_ms)]
    if not slips.size:
        return [count_cell(0), *[Cell(MISSING, number=True)] * 3]
    found = np.percentile(slips, (50, 99, 100))
    return [count_cell(int(slips.size)), *(Cell(format_number(float(each)), number=True) for each in found)]
