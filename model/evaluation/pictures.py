"""Draw the confusion matrix and the frontier as SVG with Altair. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import altair as alt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from model.evaluation.result import Row

# Okabe and Ito's colours, which people with any kind of colour vision tell apart.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_WRITTEN_CLASSES = 30  # beyond, the numbers would not be legible


def confusion_svg(counts: NDArray[np.int64], labels: Sequence[str], *, title: str) -> str:
    """Counts [classes, classes] as a heat map: the row is the true class, the column the one found."""
    totals = counts.sum(axis=1)
    shown = [place for place in range(len(labels)) if totals[place] or counts[:, place].any()]
    names = [labels[place] for place in shown]
    cells = _cells(counts, labels, shown)
    base = alt.Chart(alt.InlineData(values=cells)).encode(
        x=alt.X("found:N", sort=names, title="found", axis=alt.Axis(orient="top", labelAngle=-40)),
        y=alt.Y("true:N", sort=names, title="true"),
    )
    heat = base.mark_rect().encode(
        color=alt.Color(
            "share:Q", scale=alt.Scale(range=["#f7f9fc", "#08519c"], domain=[0, 1]), title="share of the row"
        )
    )
    layers = [heat]
    if len(names) <= _WRITTEN_CLASSES:
        ink = alt.condition("datum.share > 0.5", alt.value("white"), alt.value("#333"))
        layers.append(
            base.transform_filter("datum.count > 0").mark_text(fontSize=11).encode(text="count:Q", color=ink)
        )
    side = max(220, min(26 * len(names), 900))
    return _svg(alt.layer(*layers).properties(width=side, height=side, title=title))


def _cells(counts: NDArray[np.int64], labels: Sequence[str], shown: Sequence[int]) -> list[dict[str, Any]]:
    totals = counts.sum(axis=1)
    return [
        {
            "true": labels[i],
            "found": labels[j],
            "count": int(counts[i, j]),
            "share": float(counts[i, j] / max(totals[i], 1)),
        }
        for i in shown
        for j in shown
    ]


def frontier_svg(rows: Sequence[Row], *, several_models: bool) -> str:
    """Accuracy against a request's median time, and against the cost of a million, with 95 % intervals.

    What is right less than half as often as the best would press all others together: it is named, not drawn.
    """
    points = [_point(row, several_models=several_models) for row in rows if row.request_ms.value is not None]
    best = max((point["accuracy"] for point in points), default=0.0)
    values = [point for point in points if point["accuracy"] >= best / 2]
    if not values:
        return _svg(alt.Chart(alt.InlineData(values=[{}])).mark_text(text="too few photographs for a median time"))
    lowest = min(value["lo"] for value in values)
    panels = [
        _panel(values, "ms", "median time of a request, ms (log)", lowest=lowest),
        _panel(values, "usd", "USD per million requests (log)", lowest=lowest),
    ]
    below = [
        f"{point['variant']} on {point['runtime']} ({point['accuracy']:.3f})"
        for point in points
        if point not in values
    ]
    chart = alt.hconcat(*panels).resolve_scale(y="shared", color="shared", shape="shared")
    return _svg(chart.properties(title=f"accuracy below the picture: {', '.join(below)}") if below else chart)


def _point(row: Row, *, several_models: bool) -> dict[str, Any]:
    variant = f"{row.subject.model} {row.subject.variant}" if several_models else row.subject.variant
    return {
        "variant": variant,
        "runtime": row.subject.runtime,
        "accuracy": row.accuracy.value,
        "lo": row.accuracy.lo,
        "hi": row.accuracy.hi,
        "best": row.standing == "frontier",
        **_ends("ms", row.request_ms.value, row.request_ms.lo, row.request_ms.hi),
        **_ends("usd", row.usd_per_million.value, row.usd_per_million.lo, row.usd_per_million.hi),
    }


def _ends(name: str, value: float | None, lo: float | None, hi: float | None) -> dict[str, float | None]:
    return {name: value, f"{name}_lo": value if lo is None else lo, f"{name}_hi": value if hi is None else hi}


def _panel(values: list[dict[str, Any]], field: str, title: str, *, lowest: float) -> alt.LayerChart | alt.FacetChart:
    base = alt.Chart(alt.InlineData(values=values)).encode(
        x=alt.X(f"{field}:Q", title=title, scale=alt.Scale(type="log", nice=False, padding=30)),
        y=alt.Y("accuracy:Q", title="accuracy", scale=alt.Scale(domain=[lowest - 0.01, 1.0])),
        color=alt.Color("runtime:N", scale=alt.Scale(range=list(_COLOURS)), title="runtime"),
    )
    line = (
        base.transform_filter("datum.best")
        .mark_line(strokeDash=[4, 3], interpolate="step-after")
        .encode(color=alt.value("#888"), order=alt.Order(f"{field}:Q"))
    )
    upright = base.mark_rule(opacity=0.35).encode(y="lo:Q", y2="hi:Q")
    level = base.mark_rule(opacity=0.6).encode(x=f"{field}_lo:Q", x2=f"{field}_hi:Q")
    points = base.mark_point(filled=True, size=80, opacity=0.9).encode(
        shape=alt.Shape("variant:N", title="variant"), strokeWidth=alt.value(1)
    )
    names = (
        base.transform_filter("datum.best")
        .mark_text(dy=-12, fontSize=11)
        .encode(text="variant:N", color=alt.value("#333"))
    )
    return alt.layer(line, upright, level, points, names).properties(width=330, height=300)


def _svg(chart: alt.TopLevelMixin) -> str:
    """Rendered here, on white, so that it can be read on a dark page as well."""
    import vl_convert

    document = chart.configure(background="white").configure_view(stroke="#ddd").to_json()
    return str(vl_convert.vegalite_to_svg(document))
