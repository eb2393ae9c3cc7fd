"""Cold starts: how long they are, each stratum by itself, and where the time goes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import altair as alt

from loadtests.analysis.target_summary import COLD_STRATA, PROVOKED
from loadtests.analysis.waterfall import ORDER, WaterfallStep, mean_waterfall, total_ms
from loadtests.report.blocks import Cell, Figure, Prose, Section, Table, count_cell, estimate_cell
from loadtests.report.sections.chart import (
    Ratios,
    Row,
    Spec,
    colour,
    finished,
    row_height,
    rows_named,
    shown,
    wrapped,
)
from loadtests.report.sections.downsampling import short
from loadtests.stats.formatting import format_estimate, format_number

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext

KINDS: Mapping[Stratum, str] = {
    "forced": "forced: a new version was put in place, so that the next request had to wait for a new instance",
    "natural": "natural: an instance had been given up after an idle time",
    "burst": "burst: many requests came at once, and more instances were needed",
    "steady": "steady: it came of itself under the steady load",
    "warm-up": "warm-up: before the measurement began",
}
# One hue for each that has the time: the client and the network grey, the platform blue, the start of the process
# purple, loading orange, the work green. Light and dark within a hue; the order along the bar is the order in time.
PART_COLOURS: Mapping[str, str] = {
    "late send": "#8a8f98",
    "connect": "#a9adb5",
    "tls": "#c3c7cd",
    "platform": "#1f77b4",
    "platform and runtime start": "#4f9bd1",
    "start, begun before the request": "#7fb8e0",
    "runtime start": "#7b5ea7",
    "imports": "#d9822b",
    "model load": "#f0b35a",
    "rest of init": "#a86517",
    "hand-over": "#b39ad1",
    "decode": "#2a9d78",
    "preprocess": "#5cbf9b",
    "first inference": "#176b50",
    "inference": "#176b50",
    "rest of handling": "#9bdcc3",
    "answer": "#70757d",
}
SMALL = 0.01  # of the longest bar: parts below it are drawn together
REST = "smaller parts"
_REST_COLOUR = "#d5d8dc"
_ABOUT = (
    "A cold start is a request that waited for a new instance, by the instance's own evidence. Its stratum is "
    "why the request was sent. Strata are never pooled: what is true of one is not of another."
)
_NONE = "No cold start was measured in this run."


def cold(context: ReportContext) -> Section:
    """The section, with two charts for each stratum of cold start that was provoked."""
    if not any(part.cold.n for part in context.summary.targets):
        return Section("cold", "Cold starts", [Prose([_NONE])])
    blocks: list[Block] = [Prose([_ABOUT])]
    for stratum in PROVOKED:
        if any(stratum in part.cold.by_stratum for part in context.summary.targets):
            blocks += _of_stratum(context, stratum)
    return Section("cold", "Cold starts", [*blocks, _table(context)])


def _of_stratum(context: ReportContext, stratum: Stratum) -> Iterator[Block]:
    starts = list(_starts(context, stratum))
    falls = _falls(context, stratum)
    if starts:
        yield _strip(context, stratum, starts)
    if any(falls.values()):
        yield _waterfall(stratum, falls)


def _starts(context: ReportContext, stratum: Stratum) -> Iterator[Row]:
    for look, _, columns in context.each():
        for latency in columns.latency_ms[columns.where(outcome="ok", state="cold", stratum=stratum)]:
            yield {"target": look.label, "k": look.key, "ms": short(latency)}


def _strip(context: ReportContext, stratum: Stratum, rows: list[Row]) -> Figure:
    medians = [
        {"target": look.label, "k": look.key, "p50": each.value, "lo": each.lo, "hi": each.hi}
        for look, part, _ in context.each()
        if stratum in part.cold.by_stratum
        if stratum in part.cold.by_stratum
        and (each := part.cold.by_stratum[stratum].estimates["p50_ms"]).value is not None
    ]
    told = "; ".join(
        f"{part.target.name} {format_estimate(part.cold.by_stratum[stratum].estimates['p50_ms'])}"
        for part in context.summary.targets
        if stratum in part.cold.by_stratum
    )
    text = f"Every {stratum} cold start as a line, in ms. Medians with 95 % intervals: {told}."
    notes = [
        f"{KINDS[stratum].capitalize()}.",
        "Each thin line is one cold start; the dot is the median, the bar its 95 % interval.",
    ]
    title = f"Each {stratum} cold start"
    return Figure(f"cold-{stratum}", title, _strip_spec(context, rows, medians, text), text, notes=notes)


def _strip_spec(context: ReportContext, rows: list[Row], medians: list[Row], text: str) -> Spec:
    names = [each.label for each in context.looks]
    place = alt.Y("target:N", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(grid=False, labelLimit=130))
    along = Ratios.around([*(row["ms"] for row in rows), *(row[name] for row in medians for name in ("lo", "hi"))])
    seen = colour(context.looks, legend=False)
    ticks = (
        rows_named("rows")
        .mark_tick(thickness=1.5, size=22, opacity=0.55)
        .encode(x=along.x("ms", "milliseconds (log scale)"), y=place, color=seen)
    )
    middle = rows_named("medians")
    bars = middle.mark_rule(strokeWidth=4, opacity=0.5).encode(
        x=along.x("lo", "milliseconds (log scale)"), x2="hi:Q", y=place, color=seen
    )
    points = middle.mark_point(filled=True, size=90, opacity=1, stroke="white", strokeWidth=1).encode(
        x=along.x("p50", "milliseconds (log scale)"),
        y=place,
        color=seen,
        tooltip=[alt.Tooltip("target:N"), *(alt.Tooltip(f"{name}:Q", format=".4~r") for name in ("p50", "lo", "hi"))],
    )
    return finished(alt.layer(ticks, bars, points).add_params(shown()), height=row_height(len(names)), text=text,
        rows=rows, medians=medians,
    )  # fmt: skip


def _falls(context: ReportContext, stratum: Stratum) -> dict[str, tuple[WaterfallStep, ...]]:
    """The mean parts of each target's cold starts of one stratum."""
    return {
        look.label: mean_waterfall(
            each
            for each in context.samples.get(look.name, ())
            if (each.outcome, each.state, each.stratum) == ("ok", "cold", stratum)
        )
        for look in context.looks
    }


def _waterfall(stratum: Stratum, falls: Mapping[str, tuple[WaterfallStep, ...]]) -> Figure:
    longest = max(total_ms(parts) for parts in falls.values())
    rows = [
        row for key, (name, parts) in enumerate(falls.items()) for row in _bars(key, name, parts, longest=longest)
    ]
    ends = [f"{name} {format_number(total_ms(parts))} ms" for name, parts in falls.items() if parts]
    text = f"Mean parts of {stratum} cold starts, in order of time. Together: {', '.join(ends)}."
    notes = [
        "Means; the parts add up to the mean latency. Platform is what remains between the client's clock and the "
        f"instance's. Parts under {SMALL:.0%} of the longest bar are drawn together; the table has all of them."
    ]
    title = f"Where a {stratum} cold start's time goes"
    return Figure(
        f"waterfall-{stratum}", title, _waterfall_spec(rows, list(falls), text), text,
        table=_waterfall_table(stratum, falls), notes=notes,
    )  # fmt: skip


def _bars(key: int, name: str, parts: tuple[WaterfallStep, ...], *, longest: float) -> Iterator[Row]:
    """Each part that can be seen from where it begins to where it ends; the others together at the end."""
    at_ms = rest_ms = 0.0
    for part in parts:
        if part.ms < SMALL * longest:
            rest_ms += max(part.ms, 0.0)
            continue
        yield {"target": name, "k": key, "part": part.name, "from": at_ms, "to": at_ms + part.ms, "ms": part.ms}
        at_ms += part.ms
    if rest_ms > 0:
        yield {"target": name, "k": key, "part": REST, "from": at_ms, "to": at_ms + rest_ms, "ms": rest_ms}


def _waterfall_spec(rows: list[Row], names: list[str], text: str) -> Spec:
    present = [each for each in (*ORDER, REST) if any(row["part"] == each for row in rows)]
    colours = [PART_COLOURS.get(each, _REST_COLOUR) for each in present]
    legend = wrapped(max(map(len, present)), symbolType="square")
    chart = (
        rows_named("rows")
        .mark_bar(height=22)
        .encode(
            x=alt.X("from:Q", title="milliseconds", axis=alt.Axis(format="~r", tickCount=6)),
            x2="to:Q",
            y=alt.Y("target:N", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(grid=False, labelLimit=130)),
            color=alt.Color("part:N", scale=alt.Scale(domain=present, range=colours), legend=legend),
            tooltip=[alt.Tooltip("target:N"), alt.Tooltip("part:N"), alt.Tooltip("ms:Q", format=".4~r")],
        )
        .add_params(shown())
    )
    return finished(chart, height=row_height(len(names)), text=text, rows=rows)


def _waterfall_table(stratum: Stratum, falls: Mapping[str, tuple[WaterfallStep, ...]]) -> Table:
    known = {name: {part.name: part.ms for part in parts} for name, parts in falls.items() if parts}
    rows = [
        [
            Cell(part),
            *(Cell(format_number(parts[part]) if part in parts else "-", number=True) for parts in known.values()),
        ]
        for part in ORDER
        if any(part in parts for parts in known.values())
    ]
    rows.append([Cell("all"), *(Cell(format_number(sum(parts.values())), number=True) for parts in known.values())])
    return Table(f"Mean parts of {stratum} cold starts, ms", ["part", *known], rows, folded=True)


def _table(context: ReportContext) -> Table:
    rows = [
        [
            Cell(part.target.name, stratum, key=look.key),
            count_cell(group.n),
            *(estimate_cell(each) for each in group.estimates.values()),
        ]
        for stratum in COLD_STRATA
        for look, part, _ in context.each()
        if (group := part.cold.by_stratum.get(stratum)) is not None
    ]
    return Table(
        "Cold starts of every stratum, with 95 % intervals", ["target and stratum", "n", "p50, ms", "p95, ms"], rows
    )
