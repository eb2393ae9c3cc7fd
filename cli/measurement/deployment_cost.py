"""Compute what a deployment costs: idle, for its time to live, and at most for a planned run."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from loadtests.cost import Reserve, Usage

_DAY_HOURS = Decimal(24)


def hours_of(life: timedelta) -> Decimal:
    """Return a time to live in hours."""
    return Decimal(life.total_seconds()) / 3600


def idle_usd_per_day(variant: FunctionSpec) -> Decimal:
    """Return the daily cost of the reserved instances and of a kept snapshot, without requests."""
    return _held_usd(variant, variant.reserved_instances, _DAY_HOURS) + _snapshot_usd(variant, _DAY_HOURS)


def standing_usd(variant: FunctionSpec, hours: Decimal, *, renewals: int = 0) -> Decimal:
    """Return the most that always-on instances and kept snapshots cost in `hours`, without requests.

    See `lasting_instances`. `renewals` is how often all instances are replaced to force cold starts; once more for
    what `apply` changes on what it has made. Where the plan bills their life, those that were kept ready before go on
    for as long as their cloud lets an idle one live; the others are counted with the requests that start them
    (loadtests.cost.tariff).
    """
    usd = _held_usd(variant, lasting_instances(variant), hours) + _snapshot_usd(variant, hours)
    # Each forced cold start publishes a version, whose snapshot is paid for a minimum of time however soon it goes.
    usd += (1 + renewals) * _snapshot_usd(variant, Decimal(0))
    if not _bills_life(variant):
        return usd
    from adapters.emulator.idle_life import IdleLife

    idle_s = IdleLife.read(variant.data["platform"]["idle_life"]).longest_s
    limits_s = idle_s + variant.data["limits"]["init_timeout_s"]
    return usd + (1 + renewals) * _held_usd(variant, variant.reserved_instances, Decimal(str(limits_s)) / 3600)


def highest_usd(variant: FunctionSpec, requests: int, hours: Decimal) -> Decimal:
    """Return the cost of `requests` requests that each start cold and run into the time limit, alone.

    It includes always-on instances for `hours`.
    """
    from loadtests.cost import usage_of

    data = variant.data
    limits_ms = 1000 * variant.timeout_s, 1000 * data["limits"]["init_timeout_s"]
    usage = usage_of(requests, limits_ms[0], variant.memory, init_ms=limits_ms[1], cold_share=1)
    reserve = _reserve(variant, 0, hours)
    nothing_held = replace(usage, reserve=reserve, concurrency=variant.concurrency, gateway=variant.gateway)
    return _usd(variant, nothing_held) + standing_usd(variant, hours)


def lasting_instances(variant: FunctionSpec) -> int:
    """Return how many instances cost money without a request: the reserved ones.

    Where the plan bills the life of instances it is as many as there may be: load starts them, and how long an idle
    one lives is the cloud's choice.
    """
    return variant.maximum_instances if _bills_life(variant) else variant.reserved_instances


def _bills_life(variant: FunctionSpec) -> bool:
    from loadtests.cost import load_plan

    return load_plan(variant.cloud, variant.plan_name).bills_instance_lifetime


def _held_usd(variant: FunctionSpec, instances: int, hours: Decimal) -> Decimal:
    """Return the cost of `instances` for `hours`, without a request."""
    from loadtests.cost import Usage

    return _usd(variant, Usage((), reserve=_reserve(variant, instances, hours), concurrency=variant.concurrency))


def _snapshot_usd(variant: FunctionSpec, hours: Decimal) -> Decimal:
    """Return the cost of one version's snapshot, kept for `hours` or the plan's minimum; 0 for other plans."""
    from loadtests.cost import Snapshots, Usage, load_plan

    if not load_plan(variant.cloud, variant.plan_name).snapshot_minimum_s:
        return Decimal(0)
    kept = Snapshots(memory_mb=Decimal(variant.memory), hours=hours)
    return _usd(variant, Usage((), snapshots=kept))


def _reserve(variant: FunctionSpec, instances: int, hours: Decimal) -> Reserve:
    """Return the reserve; no hours for no instances, since a plan's minimum would be billed otherwise."""
    from loadtests.cost import Reserve

    return Reserve(Decimal(instances), hours if instances else Decimal(0), Decimal(variant.memory))


def _usd(variant: FunctionSpec, usage: Usage) -> Decimal:
    from loadtests.cost import bill

    region, architecture = variant.place, variant.architecture
    return bill(variant.cloud, variant.plan_name, usage, region=region, architecture=architecture, free=False).usd
