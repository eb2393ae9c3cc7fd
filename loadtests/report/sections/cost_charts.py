"""The charts of cost: bills by line, a month against its volume, a month at the volume of the page's slider. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import altair as alt

from loadtests.cost.plan import LINES
from loadtests.report.sections.chart import (
    Ratios,
    Row,
    Spec,
    colour,
    dash,
    fading,
    finished,
    row_height,
    rows_named,
    shown,
    wrapped,
)

if TYPE_CHECKING:
    from loadtests.report.sections.palette import TargetStyle

CENT = 0.01  # USD; a curve begins where a month costs this much
LINE_COLOURS = ("#4f5d95", "#8f9bd1", "#c98a2b", "#2a9d78", "#b0609a", "#8a8f98", "#6fb3c9")
_ASKED = ("volume", "grants")  # ids of the page's slider and checkbox
_HERE = "datum.step == toNumber(volume)"
_WORDS = (
    "'$' + format(datum.usd, datum.usd < 0.1 ? ',.2r' : datum.usd < 1000 ? ',.2f' : ',.0f') + "
    "'   ($' + format(datum.usd / datum.requests * 1e6, '.3r') + ' per million)'"
)
_SHORT = "replace(format(datum.value, '~s'), 'G', 'B')"
_DOLLARS = "'$' + (datum.value < 1 ? format(datum.value, '~r') : replace(format(datum.value, '~s'), 'G', 'B'))"


def stacks(looks: Sequence[TargetStyle], rows: Sequence[Row], text: str) -> Spec:
    """A bar for each target, stacked by `line`; rows are {target, k, line, at, usd}."""
    present = [line for line in LINES if any(row["line"] == line for row in rows)]
    colours = [LINE_COLOURS[LINES.index(line)] for line in present]
    legend = wrapped(max(map(len, present), default=1), symbolType="square")
    chart = (
        rows_named("rows")
        .mark_bar(height=22)
        .encode(
            x=alt.X("usd:Q", title="USD per million requests", stack="zero", axis=alt.Axis(tickCount=6)),
            y=_names(looks),
            color=alt.Color("line:N", scale=alt.Scale(domain=present, range=colours), legend=legend),
            order=alt.Order("at:Q"),
            tooltip=[
                alt.Tooltip("target:N"),
                alt.Tooltip("line:N"),
                alt.Tooltip("usd:Q", format=".4~r", title="USD"),
            ],
        )
        .add_params(shown())
    )
    return finished(chart, height=row_height(len(looks)), text=text, rows=rows)


def curves(looks: Sequence[TargetStyle], rows: Sequence[Row], marks: Sequence[Row], text: str) -> Spec:
    """USD a month against requests a month, with the slider's place and the break-even points `marks`.

    Rows are {target, k, step, requests, free, usd}; `free` has the values of the page's checkbox.
    """
    along, up = _requests(rows), _usd(rows)
    chosen = rows_named("rows").transform_filter("datum.free == grants")
    paid = chosen.transform_filter(f"datum.usd >= {CENT}")
    picked, faded = fading()
    seen = colour(looks, below_title=True, symbolType="stroke", symbolSize=200)
    lines = paid.mark_line(strokeWidth=2, clip=True).encode(
        x=along,
        y=up,
        color=seen,
        strokeDash=dash(looks),
        opacity=faded,
    )
    rule = chosen.transform_filter(_HERE).mark_rule(strokeDash=[4, 3]).encode(x=along)
    points = (
        paid.transform_filter(_HERE)
        .mark_point(filled=True, size=60, opacity=1)
        .encode(x=along, y=up, color=seen, tooltip=[alt.Tooltip("target:N"), _told_usd()])
    )
    layers = [lines.add_params(picked), rule, *([_crossings(marks, along, up)] if marks else []), points]
    return finished(alt.layer(*layers).add_params(shown(), *_inputs()), height=340, text=text, rows=rows, marks=marks)


def bars(looks: Sequence[TargetStyle], rows: Sequence[Row], text: str) -> Spec:
    """USD a month at the slider's place; rows as for `curves`."""
    chosen = rows_named("rows").transform_filter(f"datum.free == grants && {_HERE}").transform_calculate(words=_WORDS)
    drawn = chosen.mark_bar(height=16, yOffset=9).encode(
        x=alt.X("usd:Q", title="USD a month", axis=alt.Axis(tickCount=5, labelExpr=_DOLLARS)),
        y=_names(looks),
        color=colour(looks, legend=False),
    )
    words = chosen.mark_text(align="left", dx=2, dy=-9, baseline="middle").encode(
        x=alt.value(0), y=_names(looks), text="words:N"
    )
    return finished(
        alt.layer(drawn, words).add_params(shown(), *_inputs()), height=row_height(len(looks)), text=text, rows=rows
    )


def _names(looks: Sequence[TargetStyle]) -> alt.Y:
    scale = alt.Scale(domain=[each.label for each in looks])
    return alt.Y("target:N", title=None, scale=scale, axis=alt.Axis(grid=False, labelLimit=130))


def _requests(rows: Sequence[Row]) -> alt.X:
    volumes = [row["requests"] for row in rows]
    scale = Ratios(min(volumes), max(volumes))
    axis = scale.axis(format=alt.Undefined, labelExpr=_SHORT)
    return alt.X("requests:Q", title="requests a month (log scale)", scale=scale.scale, axis=axis)


def _usd(rows: Sequence[Row]) -> alt.Y:
    scale = Ratios.around([CENT, *(row["usd"] for row in rows if row["usd"] >= CENT)])
    axis = scale.axis(format=alt.Undefined, labelExpr=_DOLLARS)
    return alt.Y("usd:Q", title="USD a month (log scale)", scale=scale.scale, axis=axis)


def _crossings(marks: Sequence[Row], along: alt.X, up: alt.Y) -> alt.Chart:
    told = [
        alt.Tooltip("target:N", title="cheaper from here"),
        alt.Tooltip("instead of:N"),
        alt.Tooltip("requests:Q", format=".3~s", title="requests a month"),
        _told_usd(),
    ]
    found: alt.Chart = (
        rows_named("marks")
        .transform_filter(f"datum.free == grants && datum.usd >= {CENT}")
        .mark_point(shape="diamond", size=130, filled=True, color="#5f6672", stroke="white", opacity=1)
        .encode(x=along, y=up, tooltip=told)
    )
    return found


def _inputs() -> list[alt.Parameter]:
    """The page's slider and checkbox."""
    return [alt.param(name=each, value="", bind=alt.BindDirect(element=f"#{each}", event="input")) for each in _ASKED]


def _told_usd() -> alt.Tooltip:
    return alt.Tooltip("usd:Q", format=",.4~r", title="USD a month")
