"""Summarise one target: counts, percentiles of each stratum, and cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loadtests.analysis.waterfall import mean_waterfall
from loadtests.cost.billed_time import reported_ms
from loadtests.stats.clusters import clustered_quantiles
from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import percentiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.analysis.waterfall import WaterfallStep
    from loadtests.cost.measured import Reading, TargetCost
    from loadtests.plan.phases import Stratum
    from loadtests.plan.targets import Target
    from loadtests.record.columns import Columns
    from loadtests.record.sample import Sample

LATE_MS = 5.0  # a send later than this after its intended time is counted as late
COLD_STRATA: tuple[Stratum, ...] = ("forced", "natural", "burst", "steady", "warm-up")
PROVOKED: tuple[Stratum, ...] = ("forced", "natural", "burst")
COLD_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95}
TABLE_QUANTILES = ("p50_ms", "p95_ms", "p99_ms")
WARM_QUANTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}
_TARGET_FACTS = ("name", "cloud", "plan", "region", "memory_mb", "architecture", "concurrency", "cpu_share")
_COUNTS = ("requests", "errors", "timeouts", "dropped", "late", "warm_up", "instances", "platform_billed")
_NO_COST = Estimate(n=0, reason="no price for this target")


@dataclass(frozen=True, slots=True)
class LatencyGroup:
    """Requests of one kind: `n` of them, and their estimates by name (`p50_ms`…)."""

    n: int
    estimates: Mapping[str, Estimate]

    def document(self) -> dict[str, Any]:
        """`{n, p50_ms, …, reasons}`: an estimate is null where `reasons` says why."""
        reasons = {name: each.reason for name, each in self.estimates.items() if each.reason}
        return {"n": self.n} | {name: each.document() for name, each in self.estimates.items()} | {"reasons": reasons}


@dataclass(frozen=True, slots=True)
class ColdStarts:
    """Cold starts of one target: `n` of all strata, the figures of each, and the stratum that stands for them.

    Strata are never pooled: `stratum` names the one whose percentiles are the target's headline, the same for
    every target of a run. `parts` are the mean waterfall of that stratum.
    """

    n: int
    stratum: Stratum
    by_stratum: Mapping[Stratum, LatencyGroup]
    parts: Sequence[WaterfallStep] = ()

    @property
    def headline(self) -> LatencyGroup:
        """The figures of `stratum`."""
        return self.by_stratum.get(self.stratum) or _group(np.empty(0), COLD_QUANTILES)

    def document(self) -> dict[str, Any]:
        """The headline's figures with `n` of all kinds, `stratum`, `by_stratum`, and the mean `waterfall`."""
        kinds = {stratum: group.document() for stratum, group in self.by_stratum.items()}
        parts = [{"name": part.name, "ms": part.ms} for part in self.parts]
        about = {"n": self.n, "stratum": self.stratum, "by_stratum": kinds, "waterfall": parts}
        return self.headline.document() | about


@dataclass(frozen=True, slots=True)
class TargetSummary:
    """One target's part of the summary; what each count holds is in docs/results-format.md."""

    target: Target
    requests: int
    errors: int
    timeouts: int
    dropped: int
    late: int
    warm_up: int
    instances: int
    pre_initialised: int
    platform_billed: int
    error_kinds: Mapping[str, int]
    cold: ColdStarts
    warm: LatencyGroup
    warm_service: LatencyGroup
    unknown: LatencyGroup
    cost: TargetCost | None

    @property
    def typical(self) -> LatencyGroup:
        """The warm requests; those without evidence where there are no others."""
        return self.unknown if self.unknown.n and not self.warm.n else self.warm

    @property
    def usd_per_million(self) -> Estimate:
        """USD per million requests, without free grant."""
        return self.cost.usd_per_million if self.cost else _NO_COST

    @property
    def reading(self) -> Reading | None:
        """What it costs where its plan's rules are read in another way; None where they cannot."""
        return self.cost.reading if self.cost else None

    @property
    def platform_sentence(self) -> str | None:
        """For how many of its requests the platform itself said what it billed; None where it said nothing."""
        if not self.platform_billed:
            return None
        share = f"{self.platform_billed:,} of {self.requests - self.dropped:,} requests"
        return f"{self.target.name}: the platform itself said what it billed for {share}."

    def document(self) -> dict[str, Any]:
        """This target's entry of `summary.json`."""
        target = self.target
        facts = {name: getattr(target, name) for name in _TARGET_FACTS} | {"memory": f"{target.memory_mb} MB"}
        counts = {name: getattr(self, name) for name in _COUNTS}
        groups = {name: getattr(self, name).document() for name in ("cold", "warm", "warm_service", "unknown")}
        return {
            **facts,
            **counts,
            **groups,
            "pre_initialised": {"n": self.pre_initialised},
            "error_kinds": dict(self.error_kinds),
            **self._cost(),
        }

    def _cost(self) -> dict[str, Any]:
        free = self.cost.usd_per_million_free if self.cost else _NO_COST
        costs = {"cost_usd_per_million": self.usd_per_million, "cost_usd_per_million_with_grant": free}
        reasons = {name: each.reason for name, each in costs.items() if each.reason}
        documents: dict[str, Any] = {name: each.document() for name, each in costs.items()}
        if self.reading is not None:
            other = {"plan": self.reading.plan, "cost_usd_per_million": self.reading.usd_per_million.document()}
            documents["cost_other_reading"] = other
        return {**documents, "cost_assumptions": list(self.cost.assumptions) if self.cost else [], "reasons": reasons}


def headline_stratum(columns: Sequence[Columns]) -> Stratum:
    """Return the stratum of cold starts that most targets have; forced before natural before burst when equal."""
    have = {
        stratum: sum(each.count(stratum=stratum, state="cold") > 0 for each in columns) for stratum in COLD_STRATA
    }
    return max(COLD_STRATA, key=lambda stratum: have[stratum])


def summarise_target(
    target: Target, samples: Sequence[Sample], *, stratum: Stratum, cost: TargetCost | None, columns: Columns
) -> TargetSummary:
    """Summarise one target from its samples and their columns; `stratum` is the headline's stratum of cold starts."""
    instances = columns.instance[columns.instance >= 0]
    timeouts = columns.count(outcome="timeout")
    return TargetSummary(
        target=target,
        requests=columns.n,
        errors=columns.count(outcome="failed") + timeouts,
        timeouts=timeouts,
        dropped=columns.count(outcome="dropped"),
        late=int((columns.slip_ms > LATE_MS).sum()),
        warm_up=columns.count(stratum="warm-up"),
        instances=int(np.unique(instances).size),
        pre_initialised=columns.count(state="pre-initialised"),
        platform_billed=sum(reported_ms(sample) is not None for sample in samples),
        error_kinds=error_kinds(samples),
        cold=_cold(columns, stratum, samples),
        warm=warm_group(columns),
        warm_service=_warm_group(columns, columns.service_ms),
        unknown=_unknown(columns),
        cost=cost,
    )


def error_kinds(samples: Sequence[Sample]) -> dict[str, int]:
    """How often each kind of error came, the most frequent first; a dropped request is one."""
    counts = Counter(each.error or each.outcome for each in samples if each.outcome != "ok")
    return dict(counts.most_common())


def warm_group(columns: Columns) -> LatencyGroup:
    """The answered warm requests of the steady load, with instances as units; warm-up is not among them."""
    return _warm_group(columns, columns.latency_ms, unanswered=_unanswered(columns, "steady"))


def _warm_group(columns: Columns, times_ms: NDArray[np.float64], *, unanswered: int = 0) -> LatencyGroup:
    chosen = _is_warm(columns)
    values = times_ms[chosen]
    plain = percentiles(values, list(WARM_QUANTILES.values()), unanswered=unanswered)
    found = clustered_quantiles(values, columns.instance[chosen], plain)
    return LatencyGroup(n=int(values.size), estimates={name: found[q] for name, q in WARM_QUANTILES.items()})


def _is_warm(columns: Columns) -> NDArray[np.bool_]:
    return columns.where(outcome="ok", stratum="steady", state="warm")


def _cold(columns: Columns, stratum: Stratum, samples: Sequence[Sample]) -> ColdStarts:
    kinds: dict[Stratum, LatencyGroup] = {}
    for kind in COLD_STRATA:
        if columns.count(stratum=kind, state="cold"):
            # Only there is a request that was never answered known to have been meant for a new instance.
            unanswered = _unanswered(columns, kind) if kind in ("forced", "natural") else 0
            answered = columns.where(outcome="ok", stratum=kind, state="cold")
            kinds[kind] = _group(columns.latency_ms[answered], COLD_QUANTILES, unanswered=unanswered)
    fallen = mean_waterfall(
        each for each in samples if (each.outcome, each.state, each.stratum) == ("ok", "cold", stratum)
    )
    return ColdStarts(n=columns.count(state="cold"), stratum=stratum, by_stratum=kinds, parts=fallen)


def _unknown(columns: Columns) -> LatencyGroup:
    """Answers without evidence, from an endpoint that does not tell: neither cold nor warm."""
    answered = columns.where(outcome="ok", state="unknown") & ~columns.where(stratum="warm-up")
    unanswered = _unanswered(columns, "steady") if answered.any() else 0
    return _group(columns.latency_ms[answered], WARM_QUANTILES, unanswered=unanswered)


def _unanswered(columns: Columns, stratum: Stratum) -> int:
    return sum(columns.count(outcome=outcome, stratum=stratum) for outcome in ("timeout", "dropped"))


def _group(values: NDArray[np.float64], quantiles: Mapping[str, float], *, unanswered: int = 0) -> LatencyGroup:
    found = percentiles(values, list(quantiles.values()), unanswered=unanswered)
    return LatencyGroup(n=int(values.size), estimates={name: found[q] for name, q in quantiles.items()})
