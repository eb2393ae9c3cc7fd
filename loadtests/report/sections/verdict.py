"""The answer to each question in one sentence: who is ahead, and whether the run shows it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtests.analysis.comparison import BAD_SHARE_MAX, cheapest, stays_cheapest
from loadtests.analysis.recommendation import WORDS as WORDS_OF
from loadtests.cost.measured import DEFAULT_VOLUME
from loadtests.report.sections.volume import volume_text
from loadtests.stats.formatting import format_estimate, format_number
from loadtests.stats.pareto import intervals_below

if TYPE_CHECKING:
    from loadtests.analysis.comparison import Kind, TargetComparison
    from loadtests.analysis.summary import Summary
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.report.blocks import Mark
    from loadtests.stats.estimate import Estimate

WORDS: dict[Mark, str] = {"shown": "shown", "open": "not separable", "none": "not known"}


@dataclass(frozen=True, slots=True)
class ReportVerdict:
    """`answer` to `question`; `mark` says how sure. `key` is the number of the target that is ahead, if one is.

    `evidence` are the sentences that it follows from.
    """

    question: str
    mark: Mark
    answer: str
    key: int | None = None
    evidence: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """How sure, in words."""
        return WORDS[self.mark]


def verdicts(summary: Summary) -> tuple[ReportVerdict, ...]:
    """One for each question, in the order in which the page answers them."""
    kind: Kind = "unknown" if _only_unknown(summary.targets) else "warm"
    return (
        *_recommended(summary),
        _fastest("Fastest when warm", summary, kind),
        _fastest("Fastest cold start", summary, "cold"),
        _cheapest(summary.targets),
    )


def _recommended(summary: Summary) -> Iterator[ReportVerdict]:
    """What a sweep recommends over all clouds."""
    for each in summary.sweep.recommendations[:1] if summary.sweep else ():
        names = [part.target.name for part in summary.targets]
        question = f"Setting to take: lowest {WORDS_OF[each.strategy]}"
        yield ReportVerdict(
            question, "shown" if each.significant else "open", f"{each.sentence()}.", names.index(each.choice.name)
        )


def _only_unknown(parts: Sequence[TargetSummary]) -> bool:
    return not any(part.warm.n for part in parts) and any(part.unknown.n for part in parts)


def _fastest(question: str, summary: Summary, kind: Kind) -> ReportVerdict:
    """The target with the lowest median is ahead; it is shown when it is faster than each other one."""
    medians = {part.target.name: _median(part, kind) for part in summary.targets}
    known = {name: each.value for name, each in medians.items() if each.value is not None}
    if not known:
        reasons = "; ".join(f"{name} {each.reason}" for name, each in medians.items()) or "nothing was measured"
        return ReportVerdict(question, "none", f"No median is known: {reasons}.")
    best = min(known, key=lambda name: known[name])
    figure = f"median {format_estimate(medians[best])} ms"
    key = list(medians).index(best)
    pairs = [each for each in summary.comparisons if each.kind == kind and best in (each.first, each.second)]
    if not pairs:
        return ReportVerdict(question, "none", f"{best} alone could be judged: {figure}.", key)
    evidence = tuple(each.sentence() for each in pairs)
    rivals = [_other(each, best) for each in pairs if not _ahead(each, best)]
    if rivals:
        words = f"{best} has the lowest {figure}, but is not separable from {_listed(rivals)}."
        return ReportVerdict(question, "open", words, key, evidence)
    return ReportVerdict(question, "shown", f"{best}, {figure}{_leads(pairs, best)}.", key, evidence)


def _median(part: TargetSummary, kind: Kind) -> Estimate:
    return (part.cold.headline if kind == "cold" else part.typical).estimates["p50_ms"]


def _ahead(pair: TargetComparison, name: str) -> bool:
    """Whether the comparison shows `name` to be the faster one."""
    if pair.shift is None or not pair.separable:
        return False
    return (pair.first if pair.shift.value >= 0 else pair.second) == name


def _other(pair: TargetComparison, name: str) -> str:
    other = pair.second if pair.first == name else pair.first
    return f"{other} (not compared)" if pair.shift is None else other


def _leads(pairs: Sequence[TargetComparison], name: str) -> str:
    leads = [
        f"{format_number(abs(each.shift.value))} ms faster than {_other(each, name)}" for each in pairs if each.shift
    ]
    return f", {_listed(leads)}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _bad_share(part: TargetSummary) -> float:
    return (part.errors + part.dropped) / part.requests if part.requests else 0.0


def _cheapest(parts: Sequence[TargetSummary]) -> ReportVerdict:
    """By cost per million requests without the free grant, at the volume that the summary costs."""
    question = f"Cheapest at {volume_text(DEFAULT_VOLUME)} requests a month"
    every = {part.target.name: part.usd_per_million for part in parts}
    bad = [part.target.name for part in parts if _bad_share(part) > BAD_SHARE_MAX]
    costs = {name: each for name, each in every.items() if name not in bad}
    aside = f" Left out, because too many of its requests failed: {_listed(bad)}." if bad else ""
    known = sorted((each.value, name) for name, each in costs.items() if each.value is not None)
    if not known:
        reasons = "; ".join(f"{name}: {each.reason}" for name, each in costs.items()) or "nothing was answered"
        return ReportVerdict(question, "none", f"No cost is known: {reasons}.{aside}")
    best = known[0][1]
    key = list(every).index(best)
    figure = f"{format_estimate(costs[best])} USD per million requests without the free grant"
    if len(known) < 2:
        return ReportVerdict(question, "none", f"{best} alone has a cost: {figure}.{aside}", key)
    readings = {part.target.name: part.reading.usd_per_million for part in parts if part.reading is not None}
    evidence = tuple(cheapest(costs, readings=readings, volume=f"{DEFAULT_VOLUME:,} requests"))
    others = [name for _, name in known[1:]]
    unsure = [name for name in others if costs[best].hi is None or costs[name].lo is None]
    rivals = [name for name in others if name not in unsure and not intervals_below(costs[best], costs[name])]
    if rivals:
        words = f"{best} has the lowest cost, {figure}, but is not separable from {_listed(rivals)}.{aside}"
        return ReportVerdict(question, "open", words, key, evidence)
    if not stays_cheapest(best, costs, readings):
        words = f"{best} has the lowest cost, {figure}, but not where a plan is read in the other way.{aside}"
        return ReportVerdict(question, "open", words, key, evidence)
    if others[0] in unsure:
        words = f"{best}, {figure}; how sure is not known, for there are no intervals.{aside}"
        return ReportVerdict(question, "none", words, key, evidence)
    rest = f"; {_listed(unsure)} has no interval to compare" if unsure else ""
    return ReportVerdict(question, "shown", f"{best}, {figure}{rest}.{aside}", key, evidence)
