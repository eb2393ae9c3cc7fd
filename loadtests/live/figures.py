"""Summarise a run while it goes on: the report's entry of each target, with rate, slip and cost so far. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from loadtests.analysis.target_summary import headline_stratum, summarise_target
from loadtests.cost.measured import cost_of
from loadtests.record.columns import by_target, columns_of

if TYPE_CHECKING:
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook
    from loadtests.record.sample import Sample

RATE_OVER_S = 10


def live_document(targets: Sequence[Target], samples: Sequence[Sample], book: PriceBook) -> dict[str, Any]:
    """Return the figures so far as `{elapsed_s, targets}`, ready for JSON.

    `samples` are those of the run so far, with their states settled by `classify_samples`. Each target's entry is
    its entry of `summary.json` for the same samples, with `requests_per_s`, `slip_max_ms` and `cost_usd` added.
    """
    groups = by_target(samples)
    columns = {target.name: columns_of(groups.get(target.name, ())) for target in targets}
    stratum = headline_stratum(list(columns.values()))
    elapsed_s = max((max(sample.intended_s, sample.done_s or 0.0) for sample in samples), default=0.0)
    elapsed_s = max(elapsed_s, 0.0)
    entries = []
    for target in targets:
        own = groups.get(target.name, ())
        cost = cost_of(target, own, book)
        summary = summarise_target(target, own, stratum=stratum, cost=cost, columns=columns[target.name])
        entries.append(live_entry(summary, own, elapsed_s=elapsed_s))
    return {"elapsed_s": elapsed_s, "targets": entries}


def live_entry(summary: TargetSummary, samples: Sequence[Sample], *, elapsed_s: float) -> dict[str, Any]:
    """Return one target's entry of `summary.json` with the figures that only a run in progress has."""
    sent = summary.requests - summary.dropped
    return {
        **summary.document(),
        "requests_per_s": send_rate(samples, elapsed_s=elapsed_s),
        "slip_max_ms": max((sample.slip_ms for sample in samples if sample.slip_ms is not None), default=0.0),
        "cost_usd": (summary.usd_per_million.value or 0.0) * sent / 1e6,
    }


def send_rate(samples: Sequence[Sample], *, elapsed_s: float) -> float:
    """Return the requests sent per second over the last RATE_OVER_S whole seconds of the run."""
    from_s = int(elapsed_s) - RATE_OVER_S + 1
    sent = sum(sample.sent_s is not None and sample.sent_s >= from_s for sample in samples)
    return sent / min(RATE_OVER_S, max(elapsed_s, 1.0))


def typical(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a target's warm requests, or those without evidence where there are no warm ones."""
    group: dict[str, Any] = entry["unknown"] if entry["unknown"]["n"] and not entry["warm"]["n"] else entry["warm"]
    return group
