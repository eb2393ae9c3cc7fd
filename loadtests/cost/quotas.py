"""Say where a question needs more instances or requests a second than a cloud gives by default. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from adapters import contract

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.cost.question import CostQuestion

PEAK = 3  # standard deviations above the mean number of busy instances


def quota_notes(question: CostQuestion, plan: Plan) -> Iterator[str]:
    """Each default that the month's steady load exceeds, with what to ask for; nothing where the defaults do.

    As many instances are busy as a Poisson law with the mean load has nearly always: its mean and PEAK deviations.
    """
    platform = contract.load(plan.cloud).data["platform"]
    most = Decimal(platform["max_instances"])
    rate = question.rate_per_s
    load = rate * question.duration_ms / 1000
    if plan.duration.sharing == "instance":
        load /= question.concurrency
    needed = _whole(load + PEAK * load.sqrt())
    per_instance = platform.get("requests_per_s_and_instance")
    if per_instance is not None:
        needed = max(needed, _whole(rate / Decimal(per_instance)))
    new_account = platform.get("new_account_instances")
    if needed > most:
        why = "" if per_instance is None else f", which also bounds requests to {per_instance} a second for each"
        yield f"it takes about {needed:,f} instances at once; {most:,f} are the default{why}: ask for more before"
    elif new_account is not None and needed > new_account:
        yield f"it takes about {needed:,f} instances at once; a new account may have {new_account} only: look before"


def _whole(value: Decimal) -> Decimal:
    return value.to_integral_value(ROUND_CEILING)
