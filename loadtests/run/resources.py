"""What a run may use: the keys to closed targets, and money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.cost.budget import Budget
    from loadtests.credentials.channel import Doorbell
    from loadtests.credentials.credentials import Keys


@dataclass(frozen=True, slots=True)
class Means:
    """`doorbell` None: every target is open. `budget` None: nothing is counted."""

    doorbell: Doorbell | None = None
    budget: Budget | None = None

    @property
    def keys(self) -> Keys | None:
        return None if self.doorbell is None else self.doorbell.keys

    def forces(self, target: str) -> bool:
        """Whether who holds the keys can force cold starts of `target`."""
        return self.keys is not None and target in self.keys.retirable

    def settings(self, workers: int) -> dict[str, Any]:
        """What each of `workers` has to know: the keys, and its share of the money that is left."""
        shares = [None] if self.budget is None else self.budget.shares(workers)
        return {"passes": dict(self.keys.texts) if self.keys else None, "budget": shares[0]}

    def too_small(self, target: str) -> str:
        """Why not even a probe of `target` can be sent."""
        assert self.budget is not None
        highest = self.budget.tariffs[target].highest_usd
        return (
            f"the budget has {self.budget.left_usd:.6f} USD left, and one request to {target!r} may cost "
            f"{highest:.6f} USD when it runs into its time limits: give a larger --budget"
        )
