"""A run while it goes on: counts, percentiles and cost of each target so far, from the samples as they come. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from loadtests.analysis.target_summary import COLD_QUANTILES, COLD_STRATA, LATE_MS, WARM_QUANTILES, LatencyGroup
from loadtests.cost.running import RunningCost
from loadtests.record.cold_state_stream import ColdStateStream
from loadtests.stats.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook
    from loadtests.record.sample import Sample

RATE_OVER_S = 10
_FACTS = ("name", "cloud", "plan", "region", "memory_mb", "cpu_share")
_LIVE_QUANTILES = {name: WARM_QUANTILES[name] for name in ("p50_ms", "p95_ms", "p99_ms")}


class LiveFigures:
    """All targets of one run. Memory does not grow with requests, only with instances."""

    def __init__(self, targets: Sequence[Target], book: PriceBook) -> None:
        self._tallies = {target.name: TargetFigures(target, book) for target in targets}
        self._now_s = 0.0

    def take(self, samples: Sequence[Sample]) -> None:
        """Add samples, each once, in any order."""
        groups: defaultdict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            groups[sample.target].append(sample)
            self._now_s = max(self._now_s, sample.intended_s, sample.done_s or 0.0)
        for name, own in groups.items():
            self._tallies[name].take(own)

    def document(self) -> dict[str, Any]:
        """What is known, for JSON: the words of `summary.json`, as far as they make sense before the end."""
        return {
            "elapsed_s": self._now_s,
            "targets": [tally.document(now_s=self._now_s) for tally in self._tallies.values()],
        }


class TargetFigures:
    """One target: what is known for good, and the requests whose state may still change with later answers."""

    def __init__(self, target: Target, book: PriceBook) -> None:
        self._target = target
        self._cost = RunningCost(target, book)
        self._newcomers = ColdStateStream()
        self._outcomes: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, str | None]] = Counter()
        self._unanswered: Counter[str] = Counter()
        self._latencies: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._instances: set[str] = set()
        self._sent: Counter[int] = Counter()
        self._late = 0
        self._slip_max_ms = 0.0

    def take(self, samples: Sequence[Sample]) -> None:
        """Add samples of this target."""
        known = [sample for sample in samples if not self._newcomers.add(sample)]
        for sample in samples:
            self._count(sample)
        for kind, values in latencies_of(known).items():
            self._latencies[kind].add(values)
        self._kinds.update((sample.stratum, sample.state) for sample in known)
        self._cost.take(known)

    def _count(self, sample: Sample) -> None:
        self._outcomes[sample.outcome] += 1
        self._unanswered[sample.stratum] += sample.outcome in ("timeout", "dropped")
        if sample.instance is not None:
            self._instances.add(sample.instance)
        if sample.sent_s is not None and sample.slip_ms is not None:
            self._sent[int(sample.sent_s)] += 1
            self._late += sample.slip_ms > LATE_MS
            self._slip_max_ms = max(self._slip_max_ms, sample.slip_ms)

    def document(self, *, now_s: float) -> dict[str, Any]:
        """This target's entry of the document."""
        new = self._newcomers.classified()
        kinds = self._kinds + Counter((sample.stratum, sample.state) for sample in new)
        cost = self._cost.usd_per_million(new)
        timeouts = self._outcomes["timeout"]
        return {
            **{name: getattr(self._target, name) for name in _FACTS},
            "requests": self._outcomes.total(),
            "requests_per_s": self._rate(now_s),
            "errors": self._outcomes["failed"] + timeouts,
            "timeouts": timeouts,
            "dropped": self._outcomes["dropped"],
            "late": self._late,
            "slip_max_ms": self._slip_max_ms,
            "warm_up": sum(n for (stratum, _), n in kinds.items() if stratum == "warm-up"),
            "instances": len(self._instances),
            "pre_initialised": {"n": in_state(kinds, "pre-initialised")},
            **self._latency(kinds, latencies_of(new)),
            "cost_usd_per_million": cost.document(),
            "cost_usd": (cost.value or 0.0) * self._cost.sent(new) / 1e6,
            "reasons": {"cost_usd_per_million": cost.reason} if cost.reason else {},
        }

    def _latency(
        self, kinds: Mapping[tuple[str, str | None], int], new_ms: Mapping[str, Sequence[float]]
    ) -> dict[str, Any]:
        """Percentiles of each kind of request; of cold starts those kinds that there were."""
        values = {kind: each.plus(new_ms.get(kind, ())) for kind, each in self._latencies.items()}
        values |= {kind: Histogram().plus(ms) for kind, ms in new_ms.items() if kind not in values}

        def group(kind: str, quantiles: Mapping[str, float], stratum: str | None) -> dict[str, Any]:
            own = values.get(kind) or Histogram()
            unanswered = self._unanswered[stratum] if stratum is not None and (own.n or kind == "warm") else 0
            found = own.percentiles(list(quantiles.values()), unanswered=unanswered)
            return LatencyGroup(own.n, dict(zip(quantiles, found, strict=True))).document()

        # Only there is a request that was never answered known to have been meant for a new instance.
        meant = {stratum: stratum if stratum in ("forced", "natural") else None for stratum in COLD_STRATA}
        cold = [stratum for stratum in COLD_STRATA if kinds.get((stratum, "cold"))]
        by_stratum = {each: group(f"cold {each}", COLD_QUANTILES, meant[each]) for each in cold}
        return {
            "cold": {"n": in_state(kinds, "cold"), "by_stratum": by_stratum},
            "warm": group("warm", _LIVE_QUANTILES, "steady"),
            "unknown": group("unknown", _LIVE_QUANTILES, "steady"),
        }

    def _rate(self, now_s: float) -> float:
        """Requests sent a second, over the last RATE_OVER_S seconds of the run."""
        newest = int(now_s)
        for second in [each for each in self._sent if each <= newest - RATE_OVER_S]:
            del self._sent[second]
        return self._sent.total() / min(RATE_OVER_S, max(now_s, 1.0))


def in_state(kinds: Mapping[tuple[str, str | None], int], wanted: str) -> int:
    """How many requests are in a state, whatever the load meant."""
    return sum(n for (_, state), n in kinds.items() if state == wanted)


def latencies_of(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """Latencies in ms by kind of request."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for sample in samples:
        kind = kind_of(sample)
        if kind is not None and sample.latency_ms is not None:
            found[kind].append(sample.latency_ms)
    return found


def kind_of(sample: Sample) -> str | None:
    """Which percentiles an answered request belongs to; None for one that belongs to none."""
    if sample.outcome != "ok":
        return None
    if sample.state == "cold":
        return f"cold {sample.stratum}"
    if sample.state == "warm" and sample.stratum == "steady":
        return "warm"
    return "unknown" if sample.state is None and sample.stratum != "warm-up" else None


def typical(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Of a target's entry: the warm requests, or those without evidence where there are no others."""
    group: dict[str, Any] = entry["unknown"] if entry["unknown"]["n"] and not entry["warm"]["n"] else entry["warm"]
    return group
