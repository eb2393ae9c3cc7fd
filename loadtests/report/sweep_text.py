"""A sweep's result for people: a section of the report, and the sentences of the terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.analysis.recommendation import WORDS
from loadtests.stats.formatting import format_estimate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtests.analysis.sweep import SweepPoint, SweepResult
    from loadtests.stats.pareto import ParetoStatus

STANDING_WORDS: dict[ParetoStatus | None, str] = {
    "frontier": "yes",
    "near": "not separable",
    "dominated": "no",
    None: "-",
}
_HEADINGS = ("setting", "USD per million", "warm p95, ms", "cold start p50, ms", "cost and warm", "cost and cold")


def section(tuning: SweepResult) -> Iterator[str]:
    """The lines of the report's section "Tuning"."""
    yield from ("## Tuning", "", f"Strategy: {tuning.strategy} (lowest {WORDS[tuning.strategy]}).", "")
    yield from (f"- {each.sentence()}" for each in tuning.recommendations)
    if not tuning.recommendations:
        yield "- No setting can be recommended: see why each was left out."
    yield from (
        "",
        "Which settings are on the Pareto frontier, cheapest first. Values have 95 % intervals; those of the",
    )
    yield from ("warm p95 allow for instances that differ.", "")
    yield f"| {' | '.join(_HEADINGS)} |"
    yield f"|{'---|' * len(_HEADINGS)}"
    yield from (f"| {' | '.join(_row(each))} |" for each in tuning.points)
    yield ""
    yield '"yes": no other setting is better on both counts. "not separable": another is, by less than the intervals'
    yield 'can tell. "no": another is better on both, intervals apart. No outlier is removed.'
    for note in (*tuning.notes, *_left_out(tuning)):
        yield from ("", f"> {note}")


def _row(setting: SweepPoint) -> list[str]:
    figures = [format_estimate(each) for each in (setting.usd, setting.p95_ms, setting.cold_ms)]
    place = f"{setting.summary.target.name} ({setting.summary.target.memory_mb} MB)"
    return [place, *figures, STANDING_WORDS[setting.by_warm], STANDING_WORDS[setting.by_cold]]


def _left_out(tuning: SweepResult) -> Iterator[str]:
    for each in tuning.points:
        if each.left_out:
            yield f"{each.summary.target.name} was measured and takes no part: {each.left_out}."


def sentences(tuning: SweepResult) -> Iterator[str]:
    """What the terminal says below the table: recommendations, what was left out, and what to know."""
    yield from (f"{each.sentence()}" for each in tuning.recommendations)
    yield from (*_left_out(tuning), *tuning.notes)
