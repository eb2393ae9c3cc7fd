"""Try each target of a sweep before the run, and book what that costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, Decimal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.framework.progress import Display
    from cli.measurement.ready_targets import ReadyTargets
    from loadtests.cost.budget import Budget
    from loadtests.plan.sweep_load import Timing
    from loadtests.plan.targets import Target

_EXACT = Decimal("1e-12")  # what an option of the load test holds exactly


def budget_of(targets: Sequence[Target], usd: Decimal | None) -> Budget | None:
    """Return a budget for all requests, those before the run too. Raises BudgetError for an unknown price."""
    if usd is None:
        return None
    from loadtests.cost.budget import Budget
    from loadtests.cost.tariff import request_prices
    from loadtests.prices.library import open_book

    return Budget(usd, request_prices(targets, open_book()))


def try_targets(
    ready: ReadyTargets, images: Path, display: Display, *, budget: Budget | None
) -> tuple[Mapping[str, Timing], list[str]]:
    """Send each target a few requests; return the timings of those that classify, and why others are left out.

    Raises RuntimeError when no target classifies.
    """
    from loadtests.plan.payloads import read_payloads
    from loadtests.run.preflight import preflight

    total = len(ready.targets)
    display.show("try each setting", 0, total)
    timings, unfit = preflight(
        ready.targets,
        read_payloads(images),
        done=lambda n: display.show("try each setting", n, total),
        credentials=ready.credentials,
        budget=budget,
    )
    if not timings:
        raise RuntimeError(f"no setting works: {'; '.join(unfit)}")
    return timings, unfit


def left_setting(budget: Budget | None) -> dict[str, str]:
    """Return what is left of the budget, as the run's option. Raises BudgetError when nothing is left."""
    if budget is None:
        return {}
    from loadtests.cost.budget import BudgetError

    left_usd = budget.left_usd.quantize(_EXACT, ROUND_DOWN)
    if left_usd <= 0:
        raise BudgetError(f"the requests before the run used up {budget.cap_usd} USD: raise --budget")
    return {"budget-usd": f"{left_usd:f}"}


def spent_note(budget: Budget | None) -> list[str]:
    """Return the sentence about spent budget for the result."""
    if budget is None:
        return []
    return [f"{budget.spent_usd:.6f} USD of the budget went, at most, into the requests before the run"]
