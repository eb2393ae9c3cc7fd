"""From a month of use to what the meters of a plan see."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from loadtests.cost.quantities import EPHEMERAL_FREE_MB, GB_MB, HOUR_S, STREAM_FREE_MB, Metered, Work
from loadtests.cost.usage import ONE, ZERO, Reserve

if TYPE_CHECKING:
    from loadtests.cost.plans import Plan
    from loadtests.cost.usage import Calls, Usage


def measure(plan: Plan, usage: Usage) -> Metered:
    """Apply a plan's duration, memory and CPU rules. Raises ValueError when it has no such memory size.

    A plan that holds instances, used without saying how many, holds as many as its requests need on average.
    """
    work = tuple(_work(plan, usage, calls) for calls in usage.calls)
    if usage.reserve is None and plan.reserve.minimum and usage.calls:
        usage = replace(usage, reserve=needed_reserve(plan, usage, work))
    return Metered(plan, usage, work)


def needed_reserve(plan: Plan, usage: Usage, work: tuple[Work, ...]) -> Reserve:
    """Instances held all month so that on average the plan's `use` of them is busy, and its minimum at least."""
    busy_s = sum((each.instance_s for each in work), ZERO)
    needed = busy_s / (usage.month_hours * HOUR_S) / plan.reserve.use
    instances = max(needed.to_integral_value(ROUND_CEILING), Decimal(plan.reserve.minimum))
    largest = max(usage.calls, key=lambda calls: calls.memory_mb)
    return Reserve(instances, usage.month_hours, largest.memory_mb, largest.vcpu)


def _work(plan: Plan, usage: Usage, calls: Calls) -> Work:
    memory_mb = plan.memory.billed_mb(calls.memory_mb, calls.observed_mb)
    cpu = plan.cpu.units(memory_mb, concurrency=usage.concurrency) if calls.vcpu is None else calls.vcpu
    return Work(
        requests=calls.requests,
        instance_s=_instance_s(plan, calls),
        memory_gb=memory_mb / GB_MB,
        cpu=cpu,
        ephemeral_gb=max(calls.ephemeral_mb - EPHEMERAL_FREE_MB, ZERO) / GB_MB,
        streamed_gb=max(calls.streamed_mb - STREAM_FREE_MB, ZERO) / GB_MB,
        cold=calls.requests * calls.cold_share,
        reserved=calls.reserved,
    )


def _instance_s(plan: Plan, calls: Calls) -> Decimal:
    """Measured billed time, or that of requests which are each alone in their instance."""
    if calls.instance_s is not None:
        return calls.instance_s
    warm_ms = plan.duration.billed_ms(calls.duration_ms)
    cold_ms = plan.duration.billed_ms(calls.duration_ms, calls.init_ms)
    mean_ms = cold_ms * calls.cold_share + warm_ms * (ONE - calls.cold_share)
    return calls.requests * mean_ms / 1000
