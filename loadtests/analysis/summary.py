"""Summarise a run: counts, percentiles and cost of each target, and what is shown in sentences. Pure.

The document form is `summary.json`, described in docs/results-format.md and docs/summary.schema.json.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from loadtests.analysis.comparison import (
    KINDS,
    TargetComparison,
    cheapest,
    compare_targets,
    few_instances,
)
from loadtests.analysis.target_summary import TargetSummary, headline_stratum, summarise_target
from loadtests.cost.measured import DEFAULT_VOLUME
from loadtests.record.columns import by_target, columns_of

if TYPE_CHECKING:
    from loadtests.analysis.change import Change
    from loadtests.analysis.check import Check
    from loadtests.analysis.sweep import SweepResult
    from loadtests.cost.measured import TargetCost
    from loadtests.expected.estimate import ExpectedTarget
    from loadtests.plan.phases import Stratum
    from loadtests.plan.targets import Target
    from loadtests.record.columns import Columns
    from loadtests.record.sample import Sample

VERSION = 1
SENTENCES_MAX = 10  # of one kind; five targets have ten pairs


@dataclass(frozen=True, slots=True)
class Summary:
    """A run in figures and words; `run` is the store's header.

    `changes`, of a run that measured two versions: what became of each figure from the other version to this one.
    `expected`, of a run that measured empty functions too: estimates for the real clouds.
    """

    run: Mapping[str, Any]
    targets: Sequence[TargetSummary]
    comparisons: Sequence[TargetComparison] = field(default=())
    caveats: Sequence[str] = field(default=())
    verdicts: Sequence[str] = field(default=())
    checks: Sequence[Check] = field(default=())
    sweep: SweepResult | None = None
    changes: Sequence[Change] | None = None
    expected: Sequence[ExpectedTarget] | None = None

    def document(self) -> dict[str, Any]:
        """The content of `summary.json`."""
        return {
            "schema": VERSION,
            "run": dict(self.run),
            "caveats": list(self.caveats),
            "verdicts": list(self.verdicts),
            "targets": [each.document() for each in self.targets],
            "comparisons": [each.document() for each in self.comparisons],
            "checks": [each.document() for each in self.checks],
            **({} if self.sweep is None else {"sweep": self.sweep.document()}),
            **({} if self.changes is None else {"changes": [each.document() for each in self.changes]}),
            **({} if self.expected is None else {"expected": [each.document() for each in self.expected]}),
        }


def summarise(
    header: Mapping[str, Any],
    targets: Sequence[Target],
    samples: Sequence[Sample],
    costs: Mapping[str, TargetCost],
    *,
    images: Mapping[int, int] | None = None,
) -> Summary:
    """Summarise a run; `costs` by target name, a target that is not among them has no cost.

    `images` gives the image of each index of the schedule: comparisons then take out what each image costs.
    """
    groups = by_target(samples)
    columns = {target.name: columns_of(groups.get(target.name, ()), images) for target in targets}
    kind = headline_stratum(list(columns.values()))
    parts = [
        summarise_target(
            each, groups.get(each.name, ()), stratum=kind, cost=costs.get(each.name), columns=columns[each.name]
        )
        for each in targets
    ]
    compared = _compare(columns, kind)
    return Summary(
        run=header,
        targets=parts,
        comparisons=compared,
        caveats=tuple(_caveats(header, parts, columns)),
        verdicts=tuple(_verdicts(compared, parts)),
    )


def _compare(columns: Mapping[str, Columns], kind: Stratum) -> list[TargetComparison]:
    load = {each: kind if each == "cold" else "steady" for each in KINDS}
    return [found for each in KINDS for found in compare_targets(columns, kind=each, stratum=load[each])]


def _verdicts(comparisons: Sequence[TargetComparison], parts: Sequence[TargetSummary]) -> Iterator[str]:
    for kind in KINDS:
        yield from _sentences([each for each in comparisons if each.kind == kind], parts)
    yield from cheapest(
        {part.target.name: part.usd_per_million for part in parts},
        readings={part.target.name: part.reading.usd_per_million for part in parts if part.reading is not None},
        volume=f"{DEFAULT_VOLUME:,} requests",
    )


def _sentences(comparisons: Sequence[TargetComparison], parts: Sequence[TargetSummary]) -> Iterator[str]:
    """Every comparison in words; of many, those with the fastest target."""
    shown = comparisons
    if len(comparisons) > SENTENCES_MAX:
        kind = comparisons[0].kind
        medians = {part.target.name: _median_ms(part, kind) for part in parts}
        fastest = min(medians, key=lambda name: medians[name])
        shown = [each for each in comparisons if fastest in (each.first, each.second)]
    for comparison in shown:
        yield comparison.sentence()
    if len(shown) < len(comparisons):
        yield f"{len(comparisons) - len(shown)} more {comparisons[0].kind} comparisons are in summary.json"


def _median_ms(part: TargetSummary, kind: str) -> float:
    value = (part.cold.headline if kind == "cold" else part.typical).estimates["p50_ms"].value
    return math.inf if value is None else value


def _caveats(
    header: Mapping[str, Any], parts: Sequence[TargetSummary], columns: Mapping[str, Columns]
) -> Iterator[str]:
    """What this run cannot say, in sentences; first what concerns all of it."""
    local = [part.target for part in parts if part.target.control]
    if local:
        yield (
            "Local run: each cloud's own Python runtime is real; its network, placement and hardware are not. "
            "Compare what the code and the runtime cost, not what the cloud's machines would do."
        )
        yield f"CPU share of the memory size: {'; '.join(sorted({target.cpu_share for target in local}))}."
    if header.get("loop") == "closed":
        yield (
            "Closed loop: a user waits for the answer before the next request, so a stalled target is asked less "
            "and its high percentiles look better than an open loop would show."
        )
    silent = [part.target.name for part in parts if part.unknown.n]
    if silent:
        yield f"No evidence of cold or warm from {', '.join(silent)}: those answers are listed as unknown."
    if sentence := few_instances(columns):
        yield sentence
