"""Name the gateway in front of a measured target, as its plan's price list calls it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from loadtests.cost.plans import load_plan
from loadtests.cost.quantities import GATEWAY_STEP_KB
from loadtests.plan.targets import TargetsError

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.plan.targets import Target

_API_GATEWAY = ".execute-api."  # in the host of every HTTP API and REST API
_KB_BYTES = 1024


def gateway_before(target: Target, plan: Plan) -> str:
    """As the target says; else what its address tells. Raises ValueError where the plan has no such gateway.

    The address of an API Gateway does not tell which kind it is, so the dearest is taken: the last of the plan's.
    """
    if target.gateway is None:
        return plan.gateways[-1] if _API_GATEWAY in target.url else plan.gateways[0]
    if target.gateway not in plan.gateways:
        wrong = f"target {target.name!r}: gateway {target.gateway!r} is none of {plan.cloud}/{plan.name}"
        raise ValueError(f"{wrong}: expected {', '.join(plan.gateways)}")
    return target.gateway


def gateway_note(target: Target, plan: Plan) -> list[str]:
    """What a report says of it; nothing of the plan's own address."""
    found = gateway_before(target, plan)
    if found == plan.gateways[0]:
        return []
    if target.gateway is None:
        return [f"its address is an API Gateway's and does not tell which kind: {found}, the dearest, is counted"]
    return [f"{found} stands in front, and is paid for each request"]


def check_gateways(targets: Iterable[Target]) -> None:
    """Raise TargetsError for a gateway that the target's plan does not know: it would have no price."""
    for target in targets:
        if target.gateway is None:
            continue
        try:
            gateway_before(target, load_plan(target.cloud, target.plan))
        except (LookupError, ValueError) as error:
            raise TargetsError(str(error)) from error


def steps_of(size_bytes: int) -> Decimal:
    """How many requests one of this size counts for, at a gateway that meters by size."""
    steps = (Decimal(size_bytes) / _KB_BYTES / GATEWAY_STEP_KB).to_integral_value(ROUND_CEILING)
    return max(steps, Decimal(1))
