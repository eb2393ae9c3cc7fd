"""Compute what a month of requests costs, in `Decimal`, from the plans and prices of `cloud.toml`. Pure."""

from loadtests.cost.bill import Bill, BillLine, bill
from loadtests.cost.plan import Plan
from loadtests.cost.plans import PlanError, load_plan, load_plans
from loadtests.cost.usage import Calls, Reserve, Snapshots, Usage, UsageError, usage_of

__all__ = [
    "Bill",
    "BillLine",
    "Calls",
    "Plan",
    "PlanError",
    "Reserve",
    "Snapshots",
    "Usage",
    "UsageError",
    "bill",
    "load_plan",
    "load_plans",
    "usage_of",
]
