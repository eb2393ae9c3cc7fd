"""Warm latency: the whole distribution, and the percentiles with their intervals. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import altair as alt
import numpy as np

from loadtests.analysis.target_summary import WARM_QUANTILES
from loadtests.report.blocks import Cell, Figure, Prose, Section, Table, count_cell, estimate_cell
from loadtests.report.sections.chart import (
    Ratios,
    Row,
    Spec,
    colour,
    dash,
    fading,
    finished,
    rows_named,
    shape,
    shown,
)
from loadtests.report.sections.downsampling import STEPS_MAX, curve_ranks, short
from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from loadtests.analysis.target_summary import LatencyGroup, TargetSummary
    from loadtests.record.columns import Columns
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext

PERCENTILES = {"p50_ms": "p50", "p95_ms": "p95", "p99_ms": "p99", "p999_ms": "p99.9"}
_ABOUT = (
    "The share of requests that were answered within a time. A curve further left is faster everywhere; where two "
    "curves cross, one target is faster for most requests and slower for the rest. Latency counts from the intended "
    "send time; a request that was never answered counts as slower than every answer, so its curve ends below 100 %."
)
_THIN = "Curves of more than {steps:,} requests are drawn through even ranks and the slowest: off by 0.1 % or less."
_MARKS = [{"at": at} for at in (0.5, 0.95, 0.99)]
_NONE = "No warm request was answered."


def warm(context: ReportContext) -> Section:
    """The section; where answers tell nothing of cold or warm, it is about all answers."""
    rows = list(_curve_rows(context))
    blocks: list[Block] = [Prose([_ABOUT], of_charts=True)]
    if rows:
        blocks += [_distribution(context, rows), *_percentiles(context)]
    else:
        blocks = [Prose([_NONE])]
    return Section("warm", "Warm latency", [*blocks, _views(context)])


def steady(part: TargetSummary, columns: Columns) -> tuple[np.ndarray[Any, np.dtype[np.float64]], int]:
    """The latencies that `part.typical` is about, in order, and how many were never answered, as it counts them."""
    if part.typical is part.warm:
        chosen = columns.where(outcome="ok", stratum="steady", state="warm")
    else:
        chosen = columns.where(outcome="ok", state="unknown") & ~columns.where(stratum="warm-up")
    lost = sum(columns.count(outcome=each, stratum="steady") for each in ("timeout", "dropped"))
    return np.sort(columns.latency_ms[chosen]), lost


def _curve_rows(context: ReportContext) -> Iterator[Row]:
    for look, part, columns in context.each():
        latencies, lost = steady(part, columns)
        total = latencies.size + lost
        for rank in curve_ranks(latencies.size):
            share = short((int(rank) + 1) / total)
            yield {"target": look.label, "k": look.key, "ms": short(latencies[rank]), "share": share}


def _distribution(context: ReportContext, rows: list[Row]) -> Figure:
    text = f"Share of warm requests answered within a time, one curve for each target. {_medians(context)}"
    thinned = any(part.typical.n > STEPS_MAX for part in context.summary.targets)
    notes = [_THIN.format(steps=STEPS_MAX)] if thinned else []
    return Figure(
        "warm-distribution", "How long warm requests take", _curves(context, rows, text), text,
        table=_table(context), notes=notes,
    )  # fmt: skip


def _medians(context: ReportContext) -> str:
    words = []
    for part in context.summary.targets:
        found = [part.typical.estimates[name] for name in ("p50_ms", "p95_ms")]
        told = [
            f"{name} {format_number(each.value)} ms"
            for name, each in zip(("p50", "p95"), found, strict=True)
            if each.value
        ]
        words.append(f"{part.target.name}: {', '.join(told) or 'too few requests'}")
    return f"{'; '.join(words)}."


def _curves(context: ReportContext, rows: list[Row], text: str) -> Spec:
    picked, faded = fading()
    lines = (
        rows_named("rows")
        .mark_line(interpolate="step-after", strokeWidth=2, clip=True)
        .encode(
            x=Ratios.around(row["ms"] for row in rows).x("ms", "milliseconds (log scale)"),
            y=alt.Y("share:Q", title="share answered", scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%")),
            color=colour(context.looks, below_title=True, symbolSize=200),
            strokeDash=dash(context.looks),
            opacity=faded,
        )
        .add_params(picked)
    )
    marks = alt.Chart(alt.NamedData(name="marks")).mark_rule(strokeDash=[2, 3], opacity=0.6).encode(y=alt.Y("at:Q"))
    return finished(alt.layer(marks, lines).add_params(shown()), height=340, text=text, rows=rows, marks=_MARKS)


def _percentiles(context: ReportContext) -> Iterator[Figure]:
    """None where there are too few requests for any percentile."""
    text = "Percentiles of warm latency, each with its 95 % interval. The table above has the figures."
    rows = [
        {"target": look.label, "k": look.key, "percentile": word, "ms": each.value, "lo": each.lo, "hi": each.hi}
        for look, part, _ in context.each()
        for name, word in PERCENTILES.items()
        if (each := part.typical.estimates[name]).value is not None
    ]
    if not rows:
        return
    notes = ["Bars are 95 % intervals. A percentile that too few requests can carry is left out."]
    yield Figure(
        "warm-percentiles", "Percentiles and how sure they are", _dots(context, rows, text), text, notes=notes
    )


def _dots(context: ReportContext, rows: list[Row], text: str) -> Spec:
    names = [each.label for each in context.looks]
    along = Ratios.around(row[name] for row in rows for name in ("ms", "lo", "hi"))
    started = rows_named("rows")
    words = [word for word in PERCENTILES.values() if any(row["percentile"] == word for row in rows)]
    place = {
        "y": alt.Y("percentile:N", title=None, scale=alt.Scale(domain=words), axis=alt.Axis(grid=False)),
        "yOffset": alt.YOffset("target:N", scale=alt.Scale(domain=names, paddingOuter=0.6)),
    }
    bars = started.mark_rule(strokeWidth=3, opacity=0.45).encode(
        x=along.x("lo", "milliseconds (log scale)"), x2="hi:Q", color=colour(context.looks), **place
    )
    points = started.mark_point(filled=True, size=70, opacity=1).encode(
        x=along.x("ms", "milliseconds (log scale)"),
        color=colour(context.looks),
        shape=shape(context.looks),
        tooltip=[
            alt.Tooltip("target:N"),
            alt.Tooltip("percentile:N"),
            *(alt.Tooltip(f"{name}:Q", format=".4~r", title=title) for name, title in _TOLD.items()),
        ],
        **place,
    )
    height = len(words) * (max(12 * len(names), 30) + 20)
    return finished(alt.layer(bars, points).add_params(shown()), height=height, text=text, rows=rows)


_TOLD = {"ms": "ms", "lo": "95 % from", "hi": "to"}


def _table(context: ReportContext) -> Table:
    headings = ["target", "requests", *(f"{word}, ms" for word in PERCENTILES.values())]
    rows = [[*_start(context, part, part.typical), *_cells(part.typical)] for part in context.summary.targets]
    return Table("Percentiles of warm latency with 95 % intervals", headings, rows, folded=True)


def _start(context: ReportContext, part: TargetSummary, group: LatencyGroup) -> list[Cell]:
    key = next(each.key for each in context.looks if each.name == part.target.name)
    return [Cell(part.target.name, key=key), count_cell(group.n)]


def _cells(group: LatencyGroup) -> list[Cell]:
    return [estimate_cell(group.estimates[name]) for name in WARM_QUANTILES]


def _views(context: ReportContext) -> Table:
    """From the intended and from the actual send time."""
    rows = [
        [Cell(part.target.name, view, key=look.key), count_cell(group.n), *_cells(group)]
        for look, part, _ in context.each()
        for view, group in (("from the intended send", part.warm), ("from the actual send", part.warm_service))
    ]
    caption = "Two views: what a user waits, and what a client that waits for its turn would report"
    return Table(
        caption, ["target", "requests", *(f"{word}, ms" for word in PERCENTILES.values())], rows, folded=True
    )
