"""What a sweep sends before its run, and what that leaves of the budget."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cli.framework.progress import Display
    from cli.measurement.real_clouds import MeasurementPlan
    from cli.measurement.sweep_targets import SweepTargets
    from loadtests.cost.budget import Budget
    from loadtests.plan.sweep_load import Timing

_EXACT = Decimal("1e-12")  # what an option of the load test holds exactly


def budget_of(asked: dict[str, Any], sweep: SweepTargets, *, course: MeasurementPlan | None) -> Budget | None:
    """What requests may cost, those before the run with them. Raises BudgetError for a target without a price."""
    usd = course.requests_usd if course is not None else asked["budget"]
    if usd is None:
        return None
    from loadtests.cost.budget import Budget
    from loadtests.cost.tariff import request_prices
    from loadtests.prices.library import open_book

    return Budget(Decimal(str(usd)), request_prices(sweep.targets, open_book()))


def tried(
    sweep: SweepTargets, images: Path, display: Display, *, budget: Budget | None
) -> tuple[Mapping[str, Timing], list[str]]:
    """Ask each target a few times; those that do not classify are left out. Raises RuntimeError when none does."""
    from loadtests.plan.payloads import read_payloads
    from loadtests.run.preflight import preflight

    total = len(sweep.targets)
    display.show("try each setting", 0, total)
    timings, unfit = preflight(
        sweep.targets,
        read_payloads(images),
        done=lambda n: display.show("try each setting", n, total),
        porter=sweep.credentials,
        budget=budget,
    )
    if not timings:
        raise RuntimeError(f"no setting works: {'; '.join(unfit)}")
    return timings, unfit


def left_setting(budget: Budget | None) -> dict[str, str]:
    """The run's own budget, as its option: what is left. Raises BudgetError when that is nothing."""
    if budget is None:
        return {}
    from loadtests.cost.budget import BudgetError

    left_usd = budget.left_usd.quantize(_EXACT, ROUND_DOWN)
    if left_usd <= 0:
        raise BudgetError(f"the requests before the run used up {budget.cap_usd} USD: give a larger --budget")
    return {"budget-usd": f"{left_usd:f}"}


def spent_note(budget: Budget | None) -> list[str]:
    """What is said of it in the result."""
    if budget is None:
        return []
    return [f"{budget.spent_usd:.6f} USD of the budget went, at most, into the requests before the run"]
