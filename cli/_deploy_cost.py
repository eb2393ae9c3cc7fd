"""What a deployment costs: standing idle, and at the very most for a planned run."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.deployment.variant import Variant

_DAY_HOURS = Decimal(24)


def idle_usd_per_day(variant: Variant) -> Decimal:
    """A day of the instances that are kept ready, without a request."""
    from loadtests.cost import Reserve, Usage, bill

    if not variant.reserved_instances:
        return Decimal(0)
    reserve = Reserve(Decimal(variant.reserved_instances), _DAY_HOURS, Decimal(variant.memory))
    usage = Usage((), reserve=reserve, concurrency=variant.concurrency)
    region, architecture = variant.place, variant.architecture
    found = bill(variant.cloud, variant.plan_name, usage, region=region, architecture=architecture, free=False)
    return found.usd


def highest_usd(variant: Variant, requests: int) -> Decimal:
    """`requests` requests, each of which runs into the time limit, alone in its instance, after a cold start."""
    from loadtests.cost import bill, usage_of

    data = variant.data
    limits_ms = 1000 * data["platform"]["timeout_s"], 1000 * data["limits"]["init_timeout_s"]
    usage = usage_of(requests, limits_ms[0], variant.memory, init_ms=limits_ms[1], cold_share=1)
    region, architecture = variant.place, variant.architecture
    found = bill(variant.cloud, variant.plan_name, usage, region=region, architecture=architecture, free=False)
    return found.usd
