"""The top of the page: what the run cannot say, the answers, and the table with intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loadtests.analysis.checks import failed
from loadtests.analysis.target_summary import TABLE_QUANTILES
from loadtests.report.blocks import Cell, Prose, Section, Table, estimate_cell
from loadtests.report.sections.verdict import ReportVerdict, verdicts
from loadtests.stats.formatting import format_value

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.report.sections.context import ReportContext

_ABOUT = "Each value with its 95 % interval. Where there is none, the small print says what it takes."


@dataclass(frozen=True, slots=True)
class ReportHeader:
    """What is said before the sections; `subtitle` is what was run, `failed` the checks that did."""

    title: str
    subtitle: str
    cannot_say: Sequence[str]
    failed: Sequence[str]
    verdicts: Sequence[ReportVerdict]


def report_header(context: ReportContext) -> ReportHeader:
    """The first screen."""
    summary = context.summary
    return ReportHeader(
        title=_title(summary),
        subtitle=_subtitle(summary),
        cannot_say=summary.caveats,
        failed=[each.name for each in failed(summary.checks)],
        verdicts=verdicts(summary),
    )


def _title(summary: Summary) -> str:
    names = [part.target.name for part in summary.targets]
    if len(names) == 1:
        return f"{names[0]}, measured"
    if len(names) > 4:
        clouds = sorted({part.target.cloud for part in summary.targets})
        return f"{len(names)} targets on {', '.join(clouds)}"
    return f"{', '.join(names[:-1])} and {names[-1]}, compared"


def _subtitle(summary: Summary) -> str:
    run = summary.run
    total = sum(part.requests for part in summary.targets)
    model = f"model {run['model']}" if run.get("model") else ""
    scenario = f"scenario {run['scenario']}" if run.get("scenario") else ""
    started = str(run.get("started_at", "")).replace("T", " ").replace("+00:00", " UTC")
    return " \N{MIDDLE DOT} ".join(filter(None, [started, model, scenario, f"{total:,} requests"]))


def result(context: ReportContext) -> Section:
    """The table, one row for each target."""
    stratum = context.summary.targets[0].cold.stratum if context.summary.targets else "forced"
    headings = [
        "target",
        f"cold start p50 ({stratum}), ms",
        "warm p50, ms",
        "warm p95, ms",
        "warm p99, ms",
        "errors",
        "USD per million",
    ]
    rows = [_row(look.key, part) for look, part, _ in context.each()]
    return Section("result", "The figures", [Prose([_ABOUT]), Table("Results by target", headings, rows)])


def _row(key: int, part: TargetSummary) -> list[Cell]:
    target = part.target
    place = f"{target.cloud} {target.plan}, {target.memory_mb:,} MB, {target.region}"
    bad = part.errors + part.dropped
    return [
        Cell(target.name, place, key=key),
        estimate_cell(part.cold.headline.estimates["p50_ms"]),
        *(estimate_cell(part.typical.estimates[name]) for name in TABLE_QUANTILES),
        Cell(f"{bad:,}", f"of {part.requests:,}", number=True),
        _cost_cell(part),
    ]


def _cost_cell(part: TargetSummary) -> Cell:
    """The cost with its interval, and what it is under another reading of the plan's rules."""
    found = estimate_cell(part.usd_per_million)
    if part.reading is None or part.usd_per_million.value is None:
        return found
    other = f"or {format_value(part.reading.usd_per_million)}, read as {part.reading.plan}"
    return replace(found, note="; ".join(filter(None, [found.note, other])), interval=False)
