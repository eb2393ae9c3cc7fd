"""Show a sweep's result on the terminal: a table and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.stats.formatting import format_interval, format_value

if TYPE_CHECKING:
    from loadtests.analysis.sweep import SweepPoint, SweepResult
    from loadtests.stats.estimate import Estimate
    from loadtests.stats.pareto import ParetoStatus

STATUS_TEXTS: dict[ParetoStatus | None, str] = {
    "frontier": "yes",
    "near": "not separable",
    "dominated": "no",
    None: "-",
}
_STYLES: dict[ParetoStatus | None, str] = {"frontier": "green", "near": "yellow", "dominated": "dim", None: "dim"}


def _left_out(sweep: SweepResult) -> Iterator[str]:
    for each in sweep.points:
        if each.left_out:
            yield f"{each.summary.target.name} was measured and takes no part: {each.left_out}."


def sentences(sweep: SweepResult) -> Iterator[str]:
    """Yield what the terminal says below the table: recommendations, what was left out, and notes."""
    yield from (f"{each.sentence()}" for each in sweep.recommendations)
    yield from (*_left_out(sweep), *sweep.notes)


def sweep_table(sweep: SweepResult) -> Table:
    """Return one row per setting, cheapest first, with the interval under each value; it fits 80 columns."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    drawn.add_column("setting", overflow="fold")
    for heading in ("USD per\nmillion", "warm p95\nms", "cold p50\nms"):
        drawn.add_column(heading, justify="right", overflow="fold")
    for heading in ("frontier:\ncost, warm", "frontier:\ncost, cold"):
        drawn.add_column(heading, overflow="fold")
    for each in sweep.points:
        drawn.add_row(*_cells(each))
    return drawn


def _cells(setting: SweepPoint) -> list[Text]:
    target = setting.summary.target
    name = Text.assemble((target.name, "bold"), "\n", (f"{target.plan} {target.memory_mb} MB", "dim"))
    statuses = [Text(STATUS_TEXTS[each], _STYLES[each]) for each in (setting.by_warm, setting.by_cold)]
    return [name, *map(_estimate, (setting.usd, setting.p95_ms, setting.cold_ms)), *statuses]


def _estimate(estimate: Estimate) -> Text:
    return Text.assemble(format_value(estimate), "\n", (format_interval(estimate), "dim"))
