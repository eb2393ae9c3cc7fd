"""Whether a run that is under way knows enough: the stopping rule on the samples so far. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.columns import by_target, columns_of
from loadtests.stats.stopping import Decision, Rule, decide
from loadtests.target_summary import warm_group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.sample import Sample


def decide_on(samples: Sequence[Sample], targets: Sequence[str], rule: Rule, *, spent_usd: float = 0.0) -> Decision:
    """Decide from every target's warm p95; `targets` by name, so that one without samples counts as not known."""
    groups = by_target(samples)
    estimates = {
        f"{name} warm p95": warm_group(columns_of(groups.get(name, ()))).estimates["p95_ms"] for name in targets
    }
    return decide(rule, estimates, requests=len(samples), spent_usd=spent_usd)
