"""Stop a run early, when the warm p95 of every target is known well enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.percentiles import percentile
from loadtests.stats.stopping import StoppingDecision, StoppingRule, decide, next_look

if TYPE_CHECKING:
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample

FIRST_LOOK = 100  # warm samples of every target


class EarlyStop:
    """Takes samples as they are stored; looks at them ever less often, as the stopping rule asks."""

    def __init__(self, rule: StoppingRule, targets: Sequence[Target]) -> None:
        self._rule = rule
        self._warm_ms: dict[str, list[float]] = {each.name: [] for each in targets if not each.empty}
        self._requests = 0
        self._look_at = FIRST_LOOK

    def add(self, samples: Sequence[Sample]) -> None:
        """Note new samples."""
        self._requests += len(samples)
        for sample in samples:
            watched = sample.target in self._warm_ms
            if watched and sample.state == "warm" and sample.stratum == "steady" and sample.latency_ms is not None:
                self._warm_ms[sample.target].append(sample.latency_ms)

    def check(self) -> StoppingDecision | None:
        """The rule's decision when it is time to look: after enough samples, or at the limit of requests."""
        fewest = min(len(values) for values in self._warm_ms.values())
        at_limit = self._rule.requests_max is not None and self._requests >= self._rule.requests_max
        if fewest < self._look_at and not at_limit:
            return None
        self._look_at = next_look(max(fewest, self._look_at))
        estimates = {f"{name} warm p95": percentile(np.array(ms), 0.95) for name, ms in self._warm_ms.items()}
        return decide(self._rule, estimates, requests=self._requests)
