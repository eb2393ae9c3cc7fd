"""What all charts share: sizes, axes, legends, and the page's inputs. Built with Altair."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import altair as alt

if TYPE_CHECKING:
    from loadtests.report.sections.palette import TargetStyle

Row = dict[str, Any]
Spec = dict[str, Any]

SHOWN = "shown"  # the page's own legend: the numbers of the targets to draw, each between bars: |0|2|
_IS_SHOWN = f"!length({SHOWN}) || indexof({SHOWN}, '|' + datum.k + '|') >= 0"  # `k` is the target's number
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_INK, _QUIET, _GRID = "#3c4149", "#5f6672", "#e3e5e9"

# Given to every chart when it is drawn. Colours are those of paper; the page's style sheet turns them for the dark.
CONFIG: Mapping[str, Any] = {
    "background": "#ffffff",
    "font": _FONT,
    "view": {"stroke": None},
    "mark": {"aria": False},  # a chart is told in its description and its table, not point by point
    "axis": {
        "domain": False,
        "tickColor": _GRID,
        "gridColor": _GRID,
        "labelColor": _QUIET,
        "titleColor": _QUIET,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelOverlap": "greedy",
        "labelSeparation": 6,
        "labelLimit": 150,
    },
    "axisY": {"titleAnchor": "end", "titleAngle": 0, "titleAlign": "left", "titleY": -16, "titleX": 0},
    "legend": {
        "orient": "top",
        "title": None,
        "labelColor": _INK,
        "labelFontSize": 12,
        "labelLimit": 220,
        "symbolStrokeWidth": 2,
        "symbolOpacity": 1,
        "columnPadding": 18,
        "layout": {"top": {"direction": "vertical", "anchor": "start", "margin": 6}},
    },
    "text": {"color": _INK, "fontSize": 12},
    "rule": {"color": _QUIET},
}


def rows_named(name: str) -> alt.Chart:
    """The beginning of a chart of the rows that are given to `finished` under `name`, for targets that are shown."""
    return alt.Chart(alt.NamedData(name=name)).transform_filter(_IS_SHOWN)


def shown() -> alt.Parameter:
    """The page's own legend, which every chart listens to."""
    return alt.param(name=SHOWN, value="", bind=alt.BindDirect(element=f"#{SHOWN}", event="input"))


def colour(looks: Sequence[TargetStyle], *, legend: bool = True, below_title: bool = False, **more: Any) -> alt.Color:
    """The target's colour, with a legend that wraps where the page is narrow.

    `below_title`: the axis has a title at its top, for which the legend makes room. `more` is the legend's.
    """
    scale = alt.Scale(domain=[each.label for each in looks], range=[each.colour for each in looks])
    longest = max((len(each.label) for each in looks), default=1)
    drawn = wrapped(longest, below_title=below_title, **more) if legend else None
    return alt.Color("target:N", scale=scale, legend=drawn)


def wrapped(longest: int, *, below_title: bool = False, **more: Any) -> alt.Legend:
    """A legend with as many columns as the width holds, for labels of up to `longest` characters."""
    # The container's width decides: it stays while the chart finds its own. `width` makes it be asked again.
    wide = f"(containerSize()[0] - 60 + 0 * width) / {min(longest, 30) * 7 + 50}"
    columns = alt.ExprRef(f"max(1, floor({wide}))")
    return alt.Legend(columns=columns, offset=36 if below_title else 12, **more)


def dash(looks: Sequence[TargetStyle]) -> alt.StrokeDash:
    """The target's line."""
    scale = alt.Scale(domain=[each.label for each in looks], range=[list(each.dash) for each in looks])
    return alt.StrokeDash("target:N", scale=scale)


def shape(looks: Sequence[TargetStyle]) -> alt.Shape:
    """The target's point."""
    scale = alt.Scale(domain=[each.label for each in looks], range=[each.shape for each in looks])
    return alt.Shape("target:N", scale=scale)


def fading() -> tuple[alt.Parameter, Any]:
    """A click on a chart's own legend, and the opacity that follows: what is not clicked fades."""
    picked = alt.selection_point(name="picked", fields=["target"], bind="legend")
    return picked, alt.when(picked).then(alt.value(1.0)).otherwise(alt.value(0.15))


def row_height(count: int) -> int:
    """Height in pixels of `count` rows of bars."""
    return 44 * max(count, 1)


@dataclass(frozen=True, slots=True)
class Ratios:
    """A log axis from `low` to `high`, both above 0. It stays as it is when targets are hidden."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float | None]) -> Ratios:
        """Holds all of `values` that are above 0, with some room."""
        known = [value for value in values if value is not None and value > 0] or [1.0]
        low, high = min(known), max(known)
        room = max((high / low) ** 0.03, 1.04)
        return cls(low / room, high * room)

    @property
    def scale(self) -> alt.Scale:
        return alt.Scale(type="log", domain=[self.low, self.high], nice=False)

    @property
    def ticks(self) -> list[float]:
        """Round numbers within: 1, 2, 5, 10… or closer ones where the axis is short, decades where it is long."""
        width = self.high / self.low
        if width < 2.5:
            return self._even_ticks()
        steps = (
            (1.0,)
            if width > 2000
            else (1.0, 2.0, 5.0)
            if width > 8
            else (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0)
        )
        decades = range(floor(log10(self.low)), floor(log10(self.high)) + 1)
        every = (step * 10.0**decade for decade in decades for step in steps)
        return [float(f"{each:.3g}") for each in every if self.low <= each <= self.high]

    def _even_ticks(self) -> list[float]:
        """Round numbers at even distances, for so short an axis that it is nearly linear."""
        rough = (self.high - self.low) / 8
        size = 10.0 ** floor(log10(rough))
        step = next(step * size for step in (1, 2, 5, 10) if step * size >= rough)
        return [float(f"{step * n:.6g}") for n in range(ceil(self.low / step), floor(self.high / step) + 1)]

    def axis(self, **more: Any) -> alt.Axis:
        """Its ticks."""
        return alt.Axis(**{"values": self.ticks, "format": ",~r", **more})

    def x(self, field: str, title: str) -> alt.X:
        """The axis along the bottom, for one field."""
        return alt.X(f"{field}:Q", title=title, scale=self.scale, axis=self.axis())

    def y(self, field: str, title: str) -> alt.Y:
        """The axis up the side, for one field."""
        return alt.Y(f"{field}:Q", title=title, scale=self.scale, axis=self.axis())


def finished(
    chart: alt.Chart | alt.LayerChart | alt.FacetChart, *, height: int, text: str, **rows: Sequence[Row]
) -> Spec:
    """The chart as Vega-Lite, as wide as its place on the page; `text` is what a screen reader says of it.

    `rows` are the data by name; they are not copied, nor checked one by one.
    """
    fit = alt.AutoSizeParams(type="fit-x", contains="padding")
    sized = chart.properties(width="container", height=height, description=text, autosize=fit)
    found: Spec = sized.to_dict(validate=True)
    found.pop("config", None)  # Altair's own; ours is given when the chart is drawn
    return {**found, "datasets": {name: list(each) for name, each in rows.items()}}
