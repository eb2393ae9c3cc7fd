"""Summarise a sweep over settings: the frontiers of cost against speed, and the settings to take. Pure.

It is made from a run's summary, so `tripoint report` makes it again; the strategy is in the run's header.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from loadtests.analysis.comparison import BAD_SHARE_MAX
from loadtests.analysis.recommendation import Candidate, Recommendation, find_strategy, recommend
from loadtests.stats.pareto import ParetoStatus, pareto_statuses

if TYPE_CHECKING:
    from loadtests.analysis.recommendation import Strategy
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.record.columns import Columns
    from loadtests.stats.estimate import Estimate

STRATEGY_NOTE, NOTES_NOTE = "tune", "tune_notes"  # names in the run's header
OVERALL = "overall"
NO_SHARES = (
    "CPU shares are not enforced here: memory sizes differ in price alone, so the smallest size looks best. Speed by "
    "memory size takes Linux with writable control groups, or deployed targets."
)


@dataclass(frozen=True, slots=True)
class SweepPoint:
    """One target of the sweep. `left_out` says why it takes no part, where it does not.

    `by_warm` and `by_cold` are its standings on the frontiers of cost against warm p95 and cold start p50.
    """

    summary: TargetSummary
    left_out: str | None
    by_warm: ParetoStatus | None = None
    by_cold: ParetoStatus | None = None

    @property
    def usd(self) -> Estimate:
        return self.summary.usd_per_million

    @property
    def p95_ms(self) -> Estimate:
        return self.summary.typical.estimates["p95_ms"]

    @property
    def cold_ms(self) -> Estimate:
        return self.summary.cold.headline.estimates["p50_ms"]

    def document(self) -> dict[str, Any]:
        """This setting's entry of `summary.json`; its other figures are those of the target of that name."""
        place = {"name": self.summary.target.name, "left_out": self.left_out, "warm_p95_ms": self.p95_ms.document()}
        return place | {"cost_against_warm_p95": self.by_warm, "cost_against_cold_p50": self.by_cold}


@dataclass(frozen=True, slots=True)
class SweepResult:
    """The sweep's result; `settings` in the order of their cost, those without one last."""

    strategy: Strategy
    points: tuple[SweepPoint, ...]
    recommendations: tuple[Recommendation, ...]
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the content of `sweep` in `summary.json`."""
        return {
            "strategy": self.strategy,
            "settings": [each.document() for each in self.points],
            "recommendations": [each.document() for each in self.recommendations],
            "notes": list(self.notes),
        }


def sweep_result(
    header: Mapping[str, Any], parts: Sequence[TargetSummary], columns: Mapping[str, Columns]
) -> SweepResult | None:
    """Return the result of a sweep, or None where the run's header names no strategy: it was no sweep."""
    name = header.get(STRATEGY_NOTE)
    if not name:
        return None
    notes = str(header.get(NOTES_NOTE, "")).splitlines()
    return tune(parts, columns, find_strategy(str(name)), notes=notes)


def tune(
    parts: Sequence[TargetSummary],
    columns: Mapping[str, Columns],
    strategy: Strategy,
    *,
    notes: Sequence[str] = (),
) -> SweepResult:
    """Judge the settings that were measured, with their samples by name; `notes` are about the sweep itself."""
    settings = sorted(_settings(parts, columns), key=_order)
    return SweepResult(strategy, tuple(settings), tuple(_recommend(settings, strategy)), (*notes, *_caveats(parts)))


def _settings(parts: Sequence[TargetSummary], columns: Mapping[str, Columns]) -> Iterator[SweepPoint]:
    plain = [SweepPoint(part, _left_out(part)) for part in parts]
    judged = [each for each in plain if each.left_out is None]
    warm = pareto_statuses([(each.usd, each.p95_ms) for each in judged])
    cold = pareto_statuses([(each.usd, each.cold_ms) for each in judged])
    yield from (each for each in plain if each.left_out is not None)
    for each, by_warm, by_cold in zip(judged, warm, cold, strict=True):
        yield replace(each, by_warm=by_warm, by_cold=by_cold)


def _left_out(part: TargetSummary) -> str | None:
    bad = (part.errors + part.dropped) / part.requests if part.requests else 1.0
    if bad > BAD_SHARE_MAX:
        return f"{bad:.1%} of its requests failed or had no answer"
    if part.usd_per_million.value is None:
        return f"cost unknown: {part.usd_per_million.reason}"
    p95_ms = part.typical.estimates["p95_ms"]
    return None if p95_ms.value is not None else f"warm p95 {p95_ms.reason}"


def _order(setting: SweepPoint) -> tuple[bool, float, str]:
    usd = setting.usd.value
    return setting.left_out is not None, 0.0 if usd is None else usd, setting.summary.target.name


def _recommend(settings: Sequence[SweepPoint], strategy: Strategy) -> Iterator[Recommendation]:
    """One for each cloud, after the one of all of them."""
    judged = [each for each in settings if each.left_out is None]
    clouds = sorted({each.summary.target.cloud for each in judged})
    for scope in (OVERALL, *clouds) if len(clouds) > 1 else clouds:
        own = [each for each in judged if scope in (OVERALL, each.summary.target.cloud)]
        found = recommend([_contender(each) for each in own], strategy, scope=scope)
        if found is not None:
            yield found


def _contender(setting: SweepPoint) -> Candidate:
    return Candidate(setting.summary.target.name, setting.usd, setting.p95_ms)


def _caveats(parts: Sequence[TargetSummary]) -> Iterator[str]:
    local = [part.target for part in parts if part.target.control]
    if any(not target.cpu_share.startswith("enforced") for target in local):
        yield NO_SHARES
    if not any(part.cold.headline.n for part in parts):
        yield "No cold start was measured: there is no frontier of cost against cold start."
