"""Compare two runs of the same thing: what became slower or less reliable, beyond chance and a threshold.

The same statistics as within a run, without blocks of time: the runs were not interleaved, so what the machine
did in between counts as a difference too. Hence the threshold. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from loadtests.analysis.checks import check, failed
from loadtests.analysis.comparison import BAD_SHARE_MAX, KINDS, Kind, TargetComparison, compare_pair, series
from loadtests.analysis.summary import summarise
from loadtests.analysis.target_summary import headline_stratum, warm_group
from loadtests.stats.formatting import format_estimate, format_p
from loadtests.stats.holm import holm
from loadtests.stats.shift import CONFIDENCE

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.columns import Columns
    from loadtests.record.run_data import RunData
    from loadtests.stats.estimate import Estimate

THRESHOLD = 0.10
DOUBTFUL = ("complete", "client-cpu", "slip", "drift", "machine", "noise")
TAILS = ("p95", "p99")
_FACTS = ("cloud", "plan", "region", "memory_mb", "architecture", "concurrency", "cpu_share")


class NotComparableRuns(ValueError):
    """The two runs measured different things; the message lists every difference."""


@dataclass(frozen=True, slots=True)
class RunChange:
    """What became of one figure of one target; `relative` is the change over the first run's value.

    `p` is corrected for all changes of the diff, None where significance is that two intervals lie apart.
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


def diff(first: RunData, second: RunData, *, threshold: float = THRESHOLD) -> list[RunChange]:
    """Every change from `first` to `second`, each with whether it is a regression beyond `threshold` (0.1 = 10 %).

    Raises NotAlike when the two cannot be compared.
    """
    differences = list(unlike(first, second))
    if differences:
        raise NotComparableRuns(f"the runs are not comparable: {'; '.join(differences)}")
    before, after = first.columns, second.columns
    stratum = headline_stratum(list(before.values()))
    changes: list[RunChange] = []
    for name in before:
        pair = (before[name], after[name])
        changes += [change for kind in KINDS if (change := _shift(name, kind, pair, stratum))]
        changes += [_errors(name, pair), *_tails(name, pair)]
    return [_judge(change, threshold) for change in _corrected(changes)]


def doubts(record: RunData) -> list[str]:
    """The failed checks of a run for which a difference to another run may be the machine's and not the target's."""
    summary = summarise(record.header, record.targets, record.samples, {}, images=record.images)
    return [f"{each.name}: {each.finding}" for each in failed(check(record, summary)) if each.name in DOUBTFUL]


def unlike(first: RunData, second: RunData) -> Iterator[str]:
    """Why two runs do not measure the same thing, in words; nothing when they do."""
    for name in ("scenario", "loop", "model"):
        yield from _differs(name, first.header.get(name), second.header.get(name))
    yield from _differs("image set", _digest(first), _digest(second))
    mine, theirs = ({target.name: target for target in record.targets} for record in (first, second))
    yield from _differs("targets", ", ".join(sorted(mine)), ", ".join(sorted(theirs)))
    for name in sorted(mine.keys() & theirs.keys()):
        for fact in _FACTS:
            yield from _differs(f"{name}'s {fact}", getattr(mine[name], fact), getattr(theirs[name], fact))
    if any(target.control for target in first.targets):
        yield from _differs("machine", _machine(first), _machine(second))


def _differs(what: str, first: object, second: object) -> Iterator[str]:
    if first != second:
        yield f"{what}: {first} against {second}"


def _digest(record: RunData) -> object:
    images = record.header.get("images")
    return images.get("sha256") if isinstance(images, dict) else images


def _machine(record: RunData) -> str:
    machine = record.header.get("machine")
    return (
        ", ".join(f"{machine.get(name)}" for name in ("cpu", "cores")) if isinstance(machine, dict) else str(machine)
    )


def _shift(name: str, kind: Kind, pair: tuple[Columns, Columns], stratum: Stratum) -> RunChange | None:
    """The change of the latency as a whole; None when neither run has requests of this kind."""
    load: Stratum = stratum if kind == "cold" else "steady"
    if not any(each.count(outcome="ok", stratum=load, state=kind) for each in pair):
        return None
    found = compare_pair(kind, ("before", pair[0]), ("after", pair[1]), stratum=load, blocked=False)
    what = f"{kind} latency"
    if found.shift is None:
        return RunChange(name, what, f"not compared: {found.reason}")
    median_ms = float(np.median(series(pair[0], kind=kind, stratum=load).values))
    return RunChange(name, what, _shift_text(found), found.shift.value / median_ms, found.p)


def _shift_text(found: TargetComparison) -> str:
    return f"{format_estimate(found.estimate())} ms"


def _errors(name: str, pair: tuple[Columns, Columns]) -> RunChange:
    """The change of the share of requests that failed or had no answer, by Fisher's exact test."""
    bad = [each.n - each.count(outcome="ok") for each in pair]
    sizes = [each.n for each in pair]
    shares = [count / max(n, 1) for count, n in zip(bad, sizes, strict=True)]
    table = np.array([[count, n - count] for count, n in zip(bad, sizes, strict=True)])
    p = float(stats.fisher_exact(table).pvalue) if all(sizes) else 1.0
    # A share of nothing has no relative change: an increase counts in points against BAD_SHARE_MAX instead.
    points = shares[1] - shares[0]
    return RunChange(name, "errors", f"{shares[0]:.2%} to {shares[1]:.2%}", points / BAD_SHARE_MAX, p)


def _tails(name: str, pair: tuple[Columns, Columns]) -> Iterator[RunChange]:
    """High percentiles of the warm requests: they changed when their intervals lie apart."""
    groups = [warm_group(each) for each in pair]
    for label in TAILS:
        before, after = (group.estimates[f"{label}_ms"] for group in groups)
        if before.value is None or after.value is None:
            continue
        yield RunChange(
            name,
            f"warm {label}",
            f"{format_estimate(before)} to {format_estimate(after)} ms",
            (after.value - before.value) / before.value,
            significant=_apart(before, after),
        )


def _apart(first: Estimate, second: Estimate) -> bool:
    ends = (first.lo, first.hi, second.lo, second.hi)
    lo, hi, other_lo, other_hi = (0.0 if end is None else end for end in ends)
    return hi < other_lo or other_hi < lo


def _corrected(changes: Sequence[RunChange]) -> list[RunChange]:
    ps = iter(holm([each.p for each in changes if each.p is not None]))
    return [each if each.p is None else replace(each, p=next(ps)) for each in changes]


def _judge(change: RunChange, threshold: float) -> RunChange:
    """Decide: significant, and worse by more than the threshold (errors: by more than one point)."""
    if change.relative is None:
        return change
    significant = change.significant if change.p is None else change.p < 1 - CONFIDENCE
    limit = 1.0 if change.what == "errors" else threshold
    regression = significant and change.relative > limit
    said = f"{change.sentence}{_size(change)}: {_word(change, significant, regression)}"
    return replace(change, significant=significant, regression=regression, sentence=said)


def _size(change: RunChange) -> str:
    parts = [] if change.what == "errors" or change.relative is None else [f"{change.relative:+.1%}"]
    parts += [] if change.p is None else [format_p(change.p)]
    return f" ({', '.join(parts)})" if parts else ""


def _word(change: RunChange, significant: bool, regression: bool) -> str:
    if regression:
        return "regression"
    if not significant or not change.relative:
        return "no change shown"
    return "worse, within the threshold" if change.relative > 0 else "better"


def headline(changes: Sequence[RunChange], threshold: float) -> str:
    """The answer in one sentence."""
    bad = [f"{each.target} {each.what}" for each in changes if each.regression]
    limit = f"{threshold * 100:g} %"
    return f"regression beyond {limit}: {', '.join(bad)}" if bad else f"no significant regression beyond {limit}"
