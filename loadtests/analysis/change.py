"""One change of one figure of a target between two versions, and the judgement on all of them together. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from loadtests.analysis.comparison import BAD_SHARE_MAX, Kind, compare_pair, series
from loadtests.analysis.target_summary import warm_group
from loadtests.stats.clusters import FEW
from loadtests.stats.formatting import format_estimate, format_p
from loadtests.stats.holm import holm
from loadtests.stats.instance_shift import unit_shares_above
from loadtests.stats.shift import CONFIDENCE

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.columns import Columns

ERRORS = "errors"
TAILS = {"p95": 0.95, "p99": 0.99}


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one figure of one target; `relative` is the change over the value before.

    `p` is corrected for all changes that are judged together (Holm), None where there is no test: such a change is
    told and never a regression.
    """

    target: str
    what: str
    sentence: str
    relative: float | None = None
    p: float | None = None
    significant: bool = False
    regression: bool = False

    def document(self) -> dict[str, Any]:
        """As `tripoint diff --json` prints it."""
        names = ("target", "what", "relative", "p", "significant", "regression", "sentence")
        return {name: getattr(self, name) for name in names}


def latency_change(
    name: str, kind: Kind, pair: tuple[Columns, Columns], *, stratum: Stratum, interleaved: bool
) -> Change | None:
    """The change of the latency as a whole; None when neither side has requests of this kind.

    `interleaved`: both sides were measured in one run, so that what drifts hits both alike.
    """
    load: Stratum = stratum if kind == "cold" else "steady"
    if not any(each.count(outcome="ok", stratum=load, state=kind) for each in pair):
        return None
    found = compare_pair(kind, ("before", pair[0]), ("after", pair[1]), stratum=load, interleaved=interleaved)
    what = f"{kind} latency"
    if found.shift is None:
        return Change(name, what, f"not compared: {found.reason}")
    median_ms = float(np.median(series(pair[0], kind=kind, stratum=load).values))
    said = f"{format_estimate(found.estimate())} ms, {found.basis}"
    return Change(name, what, said, found.shift.value / median_ms, found.p)


def tail_changes(name: str, pair: tuple[Columns, Columns]) -> Iterator[Change]:
    """The changes of the warm p95 and p99, where both sides have them.

    The test compares, between the instances of the two sides, the share of requests above the percentile of both.
    """
    groups = [warm_group(each) for each in pair]
    sides = [series(each, kind="warm", stratum="steady") for each in pair]
    for label, q in TAILS.items():
        before, after = (group.estimates[f"{label}_ms"] for group in groups)
        if before.value is None or after.value is None:
            continue
        limit = float(np.quantile(np.concatenate([side.values for side in sides]), q))
        shares = [unit_shares_above(side, limit) for side in sides]
        said = f"{format_estimate(before)} to {format_estimate(after)} ms"
        yield Change(name, f"warm {label}", said, after.value / before.value - 1, _p_of_shares(shares[0], shares[1]))


def _p_of_shares(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Mann and Whitney's test; None with too few instances."""
    if min(len(first), len(second)) < FEW:
        return None
    p = float(stats.mannwhitneyu(np.array(first), np.array(second)).pvalue)
    return 1.0 if math.isnan(p) else p


def errors_change(name: str, before: Sequence[Columns], after: Sequence[Columns]) -> Change:
    """The change of the share of requests that failed or had no answer, by Fisher's exact test."""
    sides = (before, after)
    bad = [sum(each.n - each.count(outcome="ok") for each in side) for side in sides]
    sizes = [sum(each.n for each in side) for side in sides]
    shares = [count / max(n, 1) for count, n in zip(bad, sizes, strict=True)]
    table = np.array([[count, n - count] for count, n in zip(bad, sizes, strict=True)])
    p = float(stats.fisher_exact(table).pvalue) if all(sizes) else 1.0
    # A share of nothing has no relative change: an increase counts in points against BAD_SHARE_MAX instead.
    points = shares[1] - shares[0]
    return Change(name, ERRORS, f"{shares[0]:.2%} to {shares[1]:.2%}", points / BAD_SHARE_MAX, p)


def judged(changes: Sequence[Change], *, threshold: float, least: Mapping[str, float] | None = None) -> list[Change]:
    """Correct the p values for their number, and decide which changes are regressions.

    A regression is significant, worse by more than `threshold` (errors: by more than one point), and by more than
    `least` of its figure: what two runs of the same thing differ by, where that is not in the p value.
    """
    ps = iter(holm([each.p for each in changes if each.p is not None]))
    corrected = [each if each.p is None else replace(each, p=next(ps)) for each in changes]
    return [_judge(each, threshold=threshold, least=(least or {}).get(each.what, 0.0)) for each in corrected]


def _judge(change: Change, *, threshold: float, least: float) -> Change:
    if change.relative is None:
        return change
    significant = change.p is not None and change.p < 1 - CONFIDENCE
    limit = 1.0 if change.what == ERRORS else max(threshold, least)
    regression = significant and change.relative > limit
    within = least > threshold and change.what != ERRORS and threshold < change.relative <= least
    word = _word(change, significant=significant, regression=regression, within_runs=within)
    return replace(change, significant=significant, regression=regression, sentence=f"{_said(change)}: {word}")


def _said(change: Change) -> str:
    parts = [] if change.what == ERRORS or change.relative is None else [f"{change.relative:+.1%}"]
    parts += [] if change.p is None else [format_p(change.p)]
    return f"{change.sentence} ({', '.join(parts)})" if parts else change.sentence


def _word(change: Change, *, significant: bool, regression: bool, within_runs: bool) -> str:
    if change.p is None:
        return "not tested"
    if regression:
        return "regression"
    if not significant or not change.relative:
        return "no change shown"
    if within_runs:
        return "worse, by no more than two runs of the same thing differ"
    return "worse, within the threshold" if change.relative > 0 else "better"


def headline(changes: Sequence[Change], threshold: float) -> str:
    """The answer in one sentence."""
    bad = [f"{each.target} {each.what}" for each in changes if each.regression]
    limit = f"{threshold * 100:g} %"
    return f"regression beyond {limit}: {', '.join(bad)}" if bad else f"no significant regression beyond {limit}"
