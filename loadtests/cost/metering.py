"""From a month of use to what the meters of a plan see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loadtests.cost.quantities import EPHEMERAL_FREE_MB, GB_MB, STREAM_FREE_MB, Metered, Work
from loadtests.cost.usage import ONE, ZERO

if TYPE_CHECKING:
    from decimal import Decimal

    from loadtests.cost.plans import Plan
    from loadtests.cost.usage import Calls, Usage


def measure(plan: Plan, usage: Usage) -> Metered:
    """Apply a plan's duration, memory and CPU rules. Raises ValueError when it has no such memory size."""
    return Metered(plan, usage, tuple(_work(plan, usage, calls) for calls in usage.calls))


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
