"""The resources of a run: the credentials of closed targets, and a budget."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.cost.budget import Budget
    from loadtests.credentials.channel import CredentialChannel
    from loadtests.credentials.credentials import Credentials


@dataclass(frozen=True, slots=True)
class RunResources:
    """The resources of one run: without a `channel` every target is open, without a `budget` no cost is counted."""

    channel: CredentialChannel | None = None
    budget: Budget | None = None

    @property
    def credentials(self) -> Credentials | None:
        return None if self.channel is None else self.channel.keys

    def can_force_cold_start(self, target: str) -> bool:
        """Whether the credential provider can force cold starts of `target`."""
        return self.credentials is not None and target in self.credentials.cold_start_targets

    def settings(self, workers: int) -> dict[str, Any]:
        """What each of `workers` is told: the credentials, and its share of the budget that is left."""
        shares = [None] if self.budget is None else self.budget.shares(workers)
        return {"passes": dict(self.credentials.texts) if self.credentials else None, "budget": shares[0]}

    def insufficient_budget_message(self, target: str) -> str:
        """Say why not even a probe of `target` can be sent."""
        assert self.budget is not None
        highest = self.budget.prices[target].highest_usd
        return (
            f"the budget has {self.budget.left_usd:.6f} USD left, and one request to {target!r} may cost "
            f"{highest:.6f} USD when it runs into its time limits: give a larger --budget"
        )
