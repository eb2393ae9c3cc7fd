"""The section on a sweep: cost against speed, the frontier, and what to take. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import altair as alt

from loadtests.analysis.recommendation import WORDS
from loadtests.report.blocks import Cell, Figure, Points, Prose, Section, Table, estimate_cell
from loadtests.report.sections.chart import Ratios, Row, Spec, finished, rows_named, shown, wrapped
from loadtests.report.sections.palette import COLOURS, cloud_order
from loadtests.report.sweep import STATUS_TEXTS

if TYPE_CHECKING:
    from loadtests.analysis.sweep import SweepPoint, SweepResult
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext
    from loadtests.stats.estimate import Estimate
    from loadtests.stats.pareto import ParetoStatus

_ABOUT = "Strategy: {strategy}, the lowest {words}."
_FRONTIER = (
    "A setting is on the frontier when no other is better on both counts; the line joins those. Hollow: another is "
    "better, by less than the intervals can tell. Faint: another is better on both, intervals apart. Bars are 95 % "
    "intervals."
)
_UP = "USD per million requests (log scale)"
_TOLD = [
    alt.Tooltip("target:N"),
    alt.Tooltip("standing:N"),
    alt.Tooltip("ms:Q", format=".4~r"),
    alt.Tooltip("usd:Q", format=".4~r", title="USD per million"),
]
_OPACITY = {"frontier": 1.0, "near": 1.0, "dominated": 0.3}


def sweep(context: ReportContext, result: SweepResult) -> Section:
    """The section: recommendations, the two frontiers, the table, and what to know."""
    about = _ABOUT.format(strategy=result.strategy, words=WORDS[result.strategy])
    blocks: list[Block] = [Prose([about]), Points(list(_found(result)))]
    blocks += _frontiers(context, result)
    blocks.append(_table(context, result))
    if result.notes:
        blocks.append(Points(list(result.notes)))
    return Section("sweep", "Sweep of memory sizes", blocks)


def _found(result: SweepResult) -> Iterator[str]:
    yield from (f"{each.sentence()}." for each in result.recommendations)
    if not result.recommendations:
        yield "No setting can be recommended: see why each was left out."


def _frontiers(context: ReportContext, result: SweepResult) -> Iterator[Figure]:
    warm = _points(context, result, lambda each: (each.p95_ms, each.by_warm))
    if warm:
        text = f"Cost per million requests against warm p95 of each setting. {_members(warm)}"
        spec = _spec(context, warm, "warm p95, ms (log scale)", text)
        yield Figure("frontier-warm", "Cost against warm p95", spec, text, notes=[_FRONTIER])
    cold = _points(context, result, lambda each: (each.cold_ms, each.by_cold))
    if cold:
        text = f"Cost per million requests against the median cold start of each setting. {_members(cold)}"
        spec = _spec(context, cold, "cold start p50, ms (log scale)", text)
        yield Figure("frontier-cold", "Cost against cold start", spec, text)


def _members(rows: list[Row]) -> str:
    return f"On the frontier: {', '.join(row['target'] for row in rows if row['standing'] == 'frontier')}."


def _points(
    context: ReportContext, result: SweepResult, of: Callable[[SweepPoint], tuple[Estimate, ParetoStatus | None]]
) -> list[Row]:
    looks = {each.name: each for each in context.looks}
    rows = []
    for setting in result.points:
        time_ms, standing = of(setting)
        target = setting.summary.target
        if standing is None or not time_ms.value or not setting.usd.value:
            continue
        look = looks[target.name]
        row = {"target": look.label, "k": look.key, "cloud": target.cloud, "standing": standing}
        row |= {"opacity": _OPACITY[standing], "ms": time_ms.value, "ms_lo": time_ms.lo, "ms_hi": time_ms.hi}
        rows.append(row | {"usd": setting.usd.value, "usd_lo": setting.usd.lo, "usd_hi": setting.usd.hi})
    return rows


def _spec(context: ReportContext, rows: list[Row], title: str, text: str) -> Spec:
    along = Ratios.around(row[name] for row in rows for name in ("ms", "ms_lo", "ms_hi"))
    up = Ratios.around(row[name] for row in rows for name in ("usd", "usd_lo", "usd_hi"))
    x, y = along.x("ms", title), up.y("usd", _UP)
    seen, faint = _colour(context, rows), alt.Opacity("opacity:Q", scale=None, legend=None)
    started = rows_named("rows")
    best = started.transform_filter("datum.standing == 'frontier'")
    line = best.mark_line(interpolate="step-after", color="#8a8f98", strokeDash=[5, 3]).encode(
        x=x, y=y, order=alt.Order("ms:Q")
    )
    across = started.mark_rule(strokeWidth=2).encode(
        x=along.x("ms_lo", title), x2="ms_hi:Q", y=y, color=seen, opacity=faint
    )
    upright = (
        started.transform_filter("isValid(datum.usd_lo)")
        .mark_rule(strokeWidth=2)
        .encode(x=x, y=up.y("usd_lo", _UP), y2="usd_hi:Q", color=seen, opacity=faint)
    )
    points = started.mark_point(size=110, strokeWidth=2).encode(
        x=x,
        y=y,
        color=seen,
        fill=alt.when("datum.standing == 'near'").then(alt.value("white")).otherwise(seen),
        opacity=faint,
        tooltip=_TOLD,
    )
    names = best.mark_text(align="left", dx=9, dy=-9, fontSize=11).encode(x=x, y=y, text="target:N")
    chart = alt.layer(line, across, upright, points, names).add_params(shown())
    return finished(chart, height=360, text=text, rows=rows)


def _colour(context: ReportContext, rows: list[Row]) -> alt.Color:
    """By cloud: a sweep has too many settings for a legend of its own."""
    order = cloud_order([part.target for part in context.summary.targets])
    clouds = [each for each in order if any(row["cloud"] == each for row in rows)]
    colours = [COLOURS[order.index(each) % len(COLOURS)] for each in clouds]
    legend = wrapped(max(map(len, clouds)), below_title=True)
    return alt.Color("cloud:N", scale=alt.Scale(domain=clouds, range=colours), legend=legend)


def _table(context: ReportContext, result: SweepResult) -> Table:
    keys = {each.name: each.key for each in context.looks}
    rows = [_row(each, keys[each.summary.target.name]) for each in result.points]
    headings = [
        "setting",
        "USD per million",
        "warm p95, ms",
        "cold start p50, ms",
        "on the frontier, cost and warm",
        "cost and cold",
    ]
    return Table("Every setting, cheapest first, with 95 % intervals", headings, rows)


def _row(setting: SweepPoint, key: int) -> list[Cell]:
    figures = [estimate_cell(each) for each in (setting.usd, setting.p95_ms, setting.cold_ms)]
    name = Cell(setting.summary.target.name, f"{setting.summary.target.memory_mb:,} MB", key=key)
    if setting.left_out is not None:
        return [name, *figures, Cell("left out", setting.left_out), Cell("")]
    return [name, *figures, Cell(STATUS_TEXTS[setting.by_warm]), Cell(STATUS_TEXTS[setting.by_cold])]
