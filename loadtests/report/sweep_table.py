"""A sweep's result as a table for a terminal, readable at 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.report.sweep_text import STANDING_WORDS
from loadtests.stats.formatting import format_interval, format_value

if TYPE_CHECKING:
    from loadtests.analysis.sweep import SweepPoint, SweepResult
    from loadtests.stats.estimate import Estimate
    from loadtests.stats.pareto import ParetoStatus

_STYLES: dict[ParetoStatus | None, str] = {"frontier": "green", "near": "yellow", "dominated": "dim", None: "dim"}


def tuning_table(tuning: SweepResult) -> Table:
    """One row per setting, cheapest first; under each value its interval; fits 80 columns."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    drawn.add_column("setting", overflow="fold")
    for heading in ("USD per\nmillion", "warm p95\nms", "cold p50\nms"):
        drawn.add_column(heading, justify="right", overflow="fold")
    for heading in ("frontier:\ncost, warm", "frontier:\ncost, cold"):
        drawn.add_column(heading, overflow="fold")
    for each in tuning.points:
        drawn.add_row(*_cells(each))
    return drawn


def _cells(setting: SweepPoint) -> list[Text]:
    target = setting.summary.target
    name = Text.assemble((target.name, "bold"), "\n", (f"{target.plan} {target.memory_mb} MB", "dim"))
    standings = [Text(STANDING_WORDS[each], _STYLES[each]) for each in (setting.by_warm, setting.by_cold)]
    return [name, *map(_estimate, (setting.usd, setting.p95_ms, setting.cold_ms)), *standings]


def _estimate(estimate: Estimate) -> Text:
    return Text.assemble(format_value(estimate), "\n", (format_interval(estimate), "dim"))
