"""The section on time: latency over the run, with cold starts and failed requests marked. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import altair as alt
import numpy as np

from loadtests.report.blocks import Cell, Figure, Prose, Section, Table
from loadtests.report.sections.chart import Ratios, Row, Spec, colour, finished, rows_named, shown, wrapped
from loadtests.report.sections.downsampling import drawn, short
from loadtests.stats.formatting import MISSING, format_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.record.columns import Columns
    from loadtests.report.sections.context import ReportContext
    from loadtests.report.sections.palette import TargetStyle

POINTS_MAX = 3_600  # of answered requests over all targets: what a browser draws at once
MARKS_MAX = 400  # of each of the other kinds, over all targets
KINDS = {"answer": "warm answer", "cold": "cold start", "bad": "failed or unanswered"}
_SHAPES = {"answer": "circle", "cold": "diamond", "bad": "cross"}
_ABOUT = (
    "Every request at the time it was meant to be sent. Drift, pauses and bursts show here. Requests without an "
    "answer have no latency: they are crosses along the top."
)


def timeline(context: ReportContext) -> Section:
    """The section; empty runs have no chart."""
    sizes = {look.name: _kinds(columns) for look, _, columns in context.each()}
    rows = list(_rows(context))
    if not rows:
        return Section("time", "Over time", [Prose(["No request was sent."])])
    drawn_of = _counts(rows)
    text = f"Latency of each request over the run, {sum(drawn_of.values()):,} points. Cold starts are diamonds."
    figure = Figure(
        "over-time", "Latency over time", _spec(context.looks, rows, text), text,
        table=_table(context, sizes, drawn_of), notes=_notes(sizes, drawn_of),
    )  # fmt: skip
    return Section("time", "Over time", [Prose([_ABOUT], of_charts=True), figure])


def _kinds(columns: Columns) -> dict[str, NDArray[np.bool_]]:
    """Masks of the three kinds of points; a new instance that nobody waited for is drawn as a warm answer."""
    answered = columns.where(outcome="ok")
    cold = answered & columns.where(state="cold")
    return {"answer": answered & ~cold, "cold": cold, "bad": ~answered}


def _rows(context: ReportContext) -> Iterator[Row]:
    count = max(len(context.looks), 1)
    limits = {"answer": POINTS_MAX // count, "cold": MARKS_MAX // count, "bad": MARKS_MAX // count}
    begin_s = min((float(each.intended_s.min()) for each in context.columns.values() if each.n), default=0.0)
    for look, _, columns in context.each():
        for kind, mask in _kinds(columns).items():
            latencies = columns.latency_ms[mask]
            at_s = columns.intended_s[mask] - begin_s
            for place in drawn(np.nan_to_num(latencies, nan=-1.0), limits[kind]):
                row = {"target": look.label, "k": look.key, "kind": KINDS[kind], "s": short(at_s[place])}
                yield row | ({} if kind == "bad" else {"ms": short(latencies[place])})


def _counts(rows: list[Row]) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        place = row["target"], row["kind"]
        found[place] = found.get(place, 0) + 1
    return found


def _notes(sizes: dict[str, dict[str, NDArray[np.bool_]]], drawn_of: dict[tuple[str, str], int]) -> list[str]:
    total, shown_count = (
        sum(int(mask.sum()) for masks in sizes.values() for mask in masks.values()),
        sum(drawn_of.values()),
    )
    if shown_count == total:
        return [f"All {total:,} requests are drawn."]
    return [
        f"{shown_count:,} of {total:,} requests are drawn: of each target the slowest, and others at random (with a "
        "fixed seed), so the cloud looks sparser than the run was. No figure elsewhere is made from the drawn points."
    ]


def _spec(looks: tuple[TargetStyle, ...], rows: list[Row], text: str) -> Spec:
    kinds = [word for kind, word in KINDS.items() if any(row["kind"] == word for row in rows)]
    shapes = [_SHAPES[kind] for kind, word in KINDS.items() if word in kinds]
    legend = wrapped(28, below_title=True, symbolFillColor="transparent", symbolStrokeColor="#5f6672")
    seen = alt.Shape("kind:N", scale=alt.Scale(domain=kinds, range=shapes), legend=legend)
    along = alt.X(
        "s:Q", title="seconds after the first request", axis=alt.Axis(grid=False, tickCount=6), scale=_whole(rows)
    )
    started = rows_named("rows")
    up = Ratios.around(row.get("ms") for row in rows).y("ms", "milliseconds (log scale)")
    dots = (
        started.transform_filter(f"datum.kind == '{KINDS['answer']}'")
        .mark_point(filled=True, size=16, opacity=0.4)
        .encode(x=along, y=up, color=colour(looks, below_title=True), shape=seen)
    )
    cold = (
        started.transform_filter(f"datum.kind == '{KINDS['cold']}'")
        .mark_point(filled=True, size=95, opacity=0.95, stroke="white", strokeWidth=1)
        .encode(x=along, y=up, color=colour(looks, below_title=True), shape=seen, tooltip=_told("ms"))
    )
    bad = (
        started.transform_filter(f"datum.kind == '{KINDS['bad']}'")
        .mark_point(filled=True, size=60, opacity=0.9)
        .encode(x=along, y=alt.value(4), color=colour(looks, below_title=True), shape=seen, tooltip=_told())
    )
    return finished(alt.layer(dots, cold, bad).add_params(shown()), height=320, text=text, rows=rows)


def _whole(rows: list[Row]) -> alt.Scale:
    """The run's time, which stays when targets are hidden."""
    return alt.Scale(domain=[0, max(row["s"] for row in rows) * 1.01 or 1.0], nice=False)


def _told(*more: str) -> list[alt.Tooltip]:
    names = [alt.Tooltip("target:N"), alt.Tooltip("kind:N"), alt.Tooltip("s:Q", title="at, s", format=".4~r")]
    return names + [alt.Tooltip(f"{each}:Q", format=".4~r") for each in more]


def _table(
    context: ReportContext, sizes: dict[str, dict[str, NDArray[np.bool_]]], drawn_of: dict[tuple[str, str], int]
) -> Table:
    rows = [
        [
            Cell(look.name, key=look.key),
            *(
                Cell(f"{int(mask.sum()):,}", f"{drawn_of.get((look.label, KINDS[kind]), 0):,} drawn", number=True)
                for kind, mask in sizes[look.name].items()
            ),
            *_thirds(columns),
        ]
        for look, _, columns in context.each()
    ]
    headings = ["target", *KINDS.values(), "median of the first third, ms", "middle", "last"]
    return Table(
        "Requests by kind, and the median latency of warm answers as the run went on", headings, rows, folded=True
    )


def _thirds(columns: Columns) -> list[Cell]:
    answered = columns.where(outcome="ok") & ~columns.where(state="cold")
    order = np.argsort(columns.intended_s[answered], kind="stable")
    parts = np.array_split(columns.latency_ms[answered][order], 3)
    return [Cell(format_number(float(np.median(each))) if each.size else MISSING, number=True) for each in parts]
