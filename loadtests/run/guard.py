"""Send credentials and budget to the workers, and end the run at its budget."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import gevent

from loadtests.run.resources import RunResources

if TYPE_CHECKING:
    from loadtests.run.workers import WorkerPool


class BudgetGuard:
    """Guards one run after another; `exhausted` says that a worker's share of the budget holds no more request."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._resources = RunResources()
        self._spent_usd: dict[str, Decimal] = {}
        self._before_usd = Decimal(0)
        self.exhausted = False
        pool.listen("exhausted", self._on_exhausted)
        pool.listen("retire", self._on_retire)

    def begin(self, resources: RunResources) -> None:
        """Start a run, whose probes are paid for already."""
        self._resources, self.exhausted, self._spent_usd = resources, False, {}
        self._before_usd = Decimal(0) if resources.budget is None else resources.budget.spent_usd
        if resources.channel is not None:
            resources.channel.renewed = lambda texts: self._pool.send("passes", dict(texts))

    def add_spending(self, worker: str, done: Mapping[str, Any]) -> None:
        """Note what a worker says that it spent, what is still under way included."""
        if "spent_usd" in done:
            self._spent_usd[worker] = Decimal(done["spent_usd"])

    def spending_document(self) -> dict[str, Any] | None:
        """What the run cost at most, for the store; None without a budget. Workers that were lost are not in it."""
        budget = self._resources.budget
        if budget is None:
            return None
        spent_usd = self._before_usd + sum(self._spent_usd.values(), Decimal(0))
        return {"cap_usd": float(budget.cap_usd), "spent_usd": float(spent_usd), "exhausted": self.exhausted}

    def reason(self) -> str:
        """Why an exhausted run ends, in words."""
        assert self._resources.budget is not None
        return f"one more request might have passed the budget of {self._resources.budget.cap_usd.normalize():f} USD"

    def _on_exhausted(self, worker: str, data: Mapping[str, Any]) -> None:
        if not self.exhausted:
            self.exhausted = True
            self._pool.send("cut", {})

    def _on_retire(self, worker: str, data: Mapping[str, Any]) -> None:
        gevent.spawn(self._force_cold_start, data["target"], worker)  # in one process the sender would wait for us

    def _force_cold_start(self, target: str, worker: str) -> None:
        channel = self._resources.channel
        allowed = channel is not None and self._resources.can_force_cold_start(target)
        done = allowed and channel is not None and channel.force_cold_start(target)
        self._pool.send("retired", {"done": done}, worker=worker)
