"""The master's part in keys and money: passes new keys on, has cold starts forced, ends the run at its budget."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import gevent

from loadtests.run.resources import RunResources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.env import Environment
    from locust.rpc import Message

    from loadtests.run.workers import WorkerPool


class BudgetGuard:
    """Of one run after the other; `exhausted` once a worker's share of the budget holds no further request."""

    def __init__(self, crew: WorkerPool) -> None:
        self._crew = crew
        self._means = RunResources()
        self._spent_usd: dict[str, Decimal] = {}
        self._before_usd = Decimal(0)
        self.exhausted = False
        crew.listen("exhausted", self._on_exhausted)
        crew.listen("retire", self._on_retire)

    def begin(self, means: RunResources) -> None:
        """Serve a run, whose probes are paid for already."""
        self._means, self.exhausted, self._spent_usd = means, False, {}
        self._before_usd = Decimal(0) if means.budget is None else means.budget.spent_usd
        if means.channel is not None:
            means.channel.renewed = lambda texts: self._crew.send("passes", dict(texts))

    def add_spending(self, worker: str, done: Mapping[str, Any]) -> None:
        """Note what a worker says that it spent, what is still under way included."""
        if "spent_usd" in done:
            self._spent_usd[worker] = Decimal(done["spent_usd"])

    def spending_document(self) -> dict[str, Any] | None:
        """What the run cost at most, for the store; None without a budget. Workers that were lost are not in it."""
        budget = self._means.budget
        if budget is None:
            return None
        spent_usd = self._before_usd + sum(self._spent_usd.values(), Decimal(0))
        return {"cap_usd": float(budget.cap_usd), "spent_usd": float(spent_usd), "exhausted": self.exhausted}

    def reason(self) -> str:
        """Why an exhausted run ends, in words."""
        assert self._means.budget is not None
        return f"one more request might have passed the budget of {self._means.budget.cap_usd.normalize():f} USD"

    def _on_exhausted(self, environment: Environment, msg: Message, **_: Any) -> None:
        if not self.exhausted:
            self.exhausted = True
            self._crew.send("cut", {})

    def _on_retire(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._retire, msg.data["target"], self._crew.sender(msg))  # the local runner would wait for us

    def _retire(self, target: str, worker: str) -> None:
        doorbell = self._means.channel
        done = doorbell is not None and self._means.can_force_cold_start(target) and doorbell.force_cold_start(target)
        self._crew.send("retired", {"done": done}, worker=worker)
