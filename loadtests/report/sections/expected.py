"""What to expect on the real clouds: estimates, apart from everything that was measured. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import altair as alt

from loadtests.expected.estimate import FIGURES
from loadtests.report.blocks import Cell, Figure, Points, Prose, Section, Table
from loadtests.report.sections.chart import Ratios, Row, Spec, colour, finished, rows_named, shown
from loadtests.stats.formatting import MISSING, format_number

if TYPE_CHECKING:
    from loadtests.expected.estimate import ExpectedRange, ExpectedTarget
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext
    from loadtests.report.sections.palette import TargetStyle

TITLE = "Expected on the real clouds"
ABOUT = (
    "Estimates, not measurements: nothing of this was measured on a real cloud. An empty function ran on each local "
    "cloud beside the model. What the model's function takes more than it was measured here; what an empty function "
    "takes on the real cloud is from published measurements, which are named below."
)
_RANGES = (
    "A range holds every published source, local time as it is and scaled to Lambda's machines, and the uncertainty "
    "of the local medians. It does not hold what changed since the sources were published."
)
_SCALE = (
    "Scale: Lambda takes {scale:.2f} ms to initialise an empty function for each ms that this machine takes. It "
    "stands in for the other clouds' machines, of which no such figure is published."
)
_HEADINGS: Mapping[str, str] = {
    "init p50": "Init Duration p50",
    "init p95": "Init Duration p95",
    "cold p50": "cold p50",
    "cold p95": "cold p95",
    "warm p50": "warm p50",
}


def expected_section(context: ReportContext, found: Sequence[ExpectedTarget]) -> Section:
    """The section of a run that has estimates."""
    blocks: list[Block] = [Prose([ABOUT])]
    rows = _rows(context.looks, found)
    if rows:
        text = "; ".join(f"{row['target']} {row['figure']} {range_text_of(row)} ms" for row in rows)
        spec = _spec(context.looks, rows, f"Estimated ranges: {text}")
        blocks.append(Figure("expected", "Estimated ranges in ms", spec, text))
    blocks.append(expected_table(found))
    blocks.append(Prose([_RANGES, *scale_sentence(found)], quiet=True))
    blocks.append(Points(list(basis_sentences(found))))
    return Section("expected", TITLE, blocks)


def expected_table(found: Sequence[ExpectedTarget]) -> Table:
    """One row for each target; a figure that there is no ground for is missing, and the basis says why."""
    rows = [
        [Cell(each.target, "estimate"), *(Cell(range_text(each.ranges[name]), number=True) for name in _HEADINGS)]
        for each in found
    ]
    return Table("Estimates in ms", ["target", *_HEADINGS.values()], rows)


def range_text(found: ExpectedRange) -> str:
    """`310 to 540`, or "-"."""
    if found.low_ms is None or found.high_ms is None:
        return MISSING
    return f"{format_number(found.low_ms)} to {format_number(found.high_ms)}"


def range_text_of(row: Row) -> str:
    """The same of a row of the chart."""
    return f"{format_number(row['low'])} to {format_number(row['high'])}"


def scale_sentence(found: Sequence[ExpectedTarget]) -> list[str]:
    """How this machine compares with Lambda's, where that is known."""
    scales = {each.scale for each in found if each.scale is not None}
    return [_SCALE.format(scale=scale) for scale in scales]


def basis_sentences(found: Sequence[ExpectedTarget]) -> Iterator[str]:
    """For each target what its estimates rest on, what was measured here, and why a figure is missing."""
    for each in found:
        yield f"{each.target}, published: {'; '.join(each.basis) or 'nothing'}."
        parts = [
            f"{kind} {format_number(each.empty_ms[kind])} ms empty, {format_number(more)} ms more with the model"
            for kind, more in each.added_ms.items()
            if kind in each.empty_ms
        ]
        yield f"{each.target}, measured here: {'; '.join(parts) or 'too little'}."
        reasons: dict[str, list[str]] = {}
        for name, found_range in each.ranges.items():
            if found_range.reason:
                reasons.setdefault(found_range.reason, []).append(_HEADINGS[name])
        for reason, names in reasons.items():
            if not (set(names) <= {"Init Duration p50", "Init Duration p95"} and each.cloud != "aws"):
                yield f"{each.target}, no figure for {', '.join(names)}: {reason}."


def _rows(looks: Sequence[TargetStyle], found: Sequence[ExpectedTarget]) -> list[Row]:
    keys = {look.name: look for look in looks}
    return [
        {"target": keys[each.target].label, "k": keys[each.target].key, "figure": name, "low": low, "high": high}
        for name in FIGURES
        if not name.startswith("init")
        for each in found
        if each.target in keys
        and (low := each.ranges[name].low_ms) is not None
        and (high := each.ranges[name].high_ms) is not None
    ]


def _spec(looks: Sequence[TargetStyle], rows: Sequence[Row], text: str) -> Spec:
    """A bar from the lower to the upper end of each range."""
    names = list(dict.fromkeys(row["figure"] for row in rows))
    along = Ratios.around([value for row in rows for value in (row["low"], row["high"])])
    chart = (
        rows_named("rows")
        .mark_bar(height=14, cornerRadius=3)
        .encode(
            x=along.x("low", "ms (log scale)"),
            x2="high:Q",
            y=alt.Y("figure:N", title=None, scale=alt.Scale(domain=names), axis=alt.Axis(grid=False)),
            yOffset=alt.YOffset("target:N", scale=alt.Scale(domain=[look.label for look in looks])),
            color=colour(looks),
            tooltip=[
                alt.Tooltip("target:N"),
                alt.Tooltip("figure:N"),
                alt.Tooltip("low:Q", format=".3~r", title="from, ms"),
                alt.Tooltip("high:Q", format=".3~r", title="to, ms"),
            ],
        )
        .add_params(shown())
    )
    return finished(chart, height=30 * len(looks) * max(len(names), 1), text=text, rows=rows)
