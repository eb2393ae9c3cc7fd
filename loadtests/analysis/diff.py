"""Compare runs of one version with runs of another: what became slower or less reliable. Pure.

With one run a side, instances are the units, and what two runs of the same thing differ by is not in the p value: a
change counts beyond a measured allowance only. With several runs a side, runs are the units, and it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from loadtests.analysis.change import TAILS, Change, errors_change, judged, latency_change, tail_changes
from loadtests.analysis.checks import check, failed
from loadtests.analysis.comparison import KINDS
from loadtests.analysis.summary import summarise
from loadtests.analysis.target_summary import headline_stratum, warm_group
from loadtests.stats.formatting import format_number
from loadtests.stats.percentiles import percentile

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.columns import Columns
    from loadtests.record.run_data import RunData
    from loadtests.stats.estimate import Estimate

    Figure = Callable[[Columns], Estimate]

THRESHOLD = 0.10
# What two runs of one commit differ by: 99.7 of 100 pairs lie closer, so that of 15 figures together 95 of 100 do.
# Eleven runs of the local clouds on a quiet machine, the cloud that varies most of each figure: docs/statistics.md.
RUN_TO_RUN = {"warm latency": 0.15, "cold latency": 0.31, "warm p95": 0.8, "warm p99": 3.1}
DOUBTFUL = ("complete", "client-cpu", "slip", "drift", "machine", "noise")
_FACTS = ("cloud", "plan", "region", "memory_mb", "architecture", "concurrency", "cpu_share")


class NotComparableRuns(ValueError):
    """The runs measured different things; the message lists every difference."""


def diff(before: Sequence[RunData], after: Sequence[RunData], *, threshold: float = THRESHOLD) -> list[Change]:
    """Every change from `before` to `after`, each with whether it is a regression beyond `threshold` (0.1 = 10 %).

    Each side has at least one run. Raises NotComparableRuns when they do not measure the same thing.
    """
    first = before[0]
    differences = [each for run in (*before[1:], *after) for each in unlike(first, run)]
    if differences:
        raise NotComparableRuns(f"the runs are not comparable: {'; '.join(dict.fromkeys(differences))}")
    stratum = headline_stratum(list(first.columns.values()))
    if len(before) == len(after) == 1:
        found = [each for name in first.columns for each in _of_one(name, before[0], after[0], stratum)]
        return judged(found, threshold=threshold, least=RUN_TO_RUN)
    found = [each for name in first.columns for each in _of_several(name, before, after, stratum)]
    return judged(found, threshold=threshold)


def limits(before: Sequence[RunData], after: Sequence[RunData]) -> str:
    """What so many runs can tell, in words."""
    if len(before) == len(after) == 1:
        known = ", ".join(f"{what} by up to {share:.0%}" for what, share in RUN_TO_RUN.items())
        return (
            f"one run a side: two runs of the same thing differ in {known}, so a smaller change is no regression "
            "here; several runs a side (--before A B C --after D E F) or `tripoint compare --against` tell more"
        )
    return f"{len(before)} and {len(after)} runs: how runs of the same thing differ is in the p values"


def doubts(record: RunData) -> list[str]:
    """The failed checks of a run for which a difference to another run may be the machine's and not the target's."""
    summary = summarise(record.header, record.targets, record.samples, {}, images=record.images)
    return [f"{each.name}: {each.finding}" for each in failed(check(record, summary)) if each.name in DOUBTFUL]


def unlike(first: RunData, second: RunData) -> Iterator[str]:
    """Why two runs do not measure the same thing, in words; nothing when they do."""
    yield from _differs("scenario", _scenario(first), _scenario(second))
    for name in ("loop", "model"):
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


def _scenario(record: RunData) -> str | None:
    """Its name, or that of its file, wherever that lies."""
    found = record.header.get("scenario")
    return None if found is None else Path(str(found)).name


def _digest(record: RunData) -> object:
    images = record.header.get("images")
    return images.get("sha256") if isinstance(images, dict) else images


def _machine(record: RunData) -> str:
    machine = record.header.get("machine")
    return (
        ", ".join(f"{machine.get(name)}" for name in ("cpu", "cores")) if isinstance(machine, dict) else str(machine)
    )


def _of_one(name: str, before: RunData, after: RunData, stratum: Stratum) -> Iterator[Change]:
    """One run a side: latencies and high percentiles by instance, and errors."""
    pair = before.columns[name], after.columns[name]
    for kind in KINDS:
        if change := latency_change(name, kind, pair, stratum=stratum, interleaved=False):
            yield change
    yield errors_change(name, pair[:1], pair[1:])
    yield from tail_changes(name, pair)


def _of_several(name: str, before: Sequence[RunData], after: Sequence[RunData], stratum: Stratum) -> Iterator[Change]:
    """Several runs a side: each run has one value of each figure, and Student's test compares their logarithms."""
    sides = [[run.columns[name] for run in side] for side in (before, after)]
    figures: dict[str, Figure] = {f"warm {label}": _warm(label) for label in ("p50", *TAILS)}
    figures["cold p50"] = lambda columns: _cold(columns, stratum)
    for what, figure in figures.items():
        values = [[figure(each).value for each in side] for side in sides]
        known = [[each for each in side if each] for side in values]
        if all(known):
            yield _change_of_runs(name, what, known, missing=sum(map(len, values)) - sum(map(len, known)))
    yield errors_change(name, sides[0], sides[1])


def _change_of_runs(name: str, what: str, values: Sequence[Sequence[float]], *, missing: int) -> Change:
    logs = [np.log(np.array(side)) for side in values]
    relative = math.exp(float(logs[1].mean() - logs[0].mean())) - 1
    medians = [format_number(math.exp(float(side.mean()))) for side in logs]
    said = f"{medians[0]} to {medians[1]} ms"
    if missing:
        said += f", in {missing} runs not estimable"
    if sum(map(len, values)) < 3:
        return Change(name, what, said, relative)
    p = float(stats.ttest_ind(logs[0], logs[1]).pvalue)  # one variance: that of runs of the same thing
    return Change(name, what, said, relative, 1.0 if math.isnan(p) else p)


def _warm(label: str) -> Figure:
    return lambda columns: warm_group(columns).estimates[f"{label}_ms"]


def _cold(columns: Columns, stratum: Stratum) -> Estimate:
    answered = columns.where(outcome="ok", stratum=stratum, state="cold")
    return percentile(columns.latency_ms[answered], 0.5)
