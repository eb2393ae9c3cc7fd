"""Turn a month of use into what the meters of a plan see."""

from __future__ import annotations

from dataclasses import replace
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from loadtests.cost.quantities import EPHEMERAL_FREE_MB, GB_MB, HOUR_S, STREAM_FREE_MB, BilledWork, MeteredUsage
from loadtests.cost.sharing import Stream, shared_instance_s
from loadtests.cost.usage import ONE, ZERO, Reserve

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.cost.usage import Calls, Usage

ALONE = "each request is alone in its instance: an upper bound where requests overlap"
STEADY = "requests of a steady random stream share {instances} instance(s)"
RAISED = "{configured} MB are billed as {billed} MB, a size that the plan has"
HELD = "{instances} instance(s) of {memory} MB are held for {hours} hours, as the mean load needs at {use:.0%} use"


def measure(plan: Plan, usage: Usage) -> MeteredUsage:
    """Apply a plan's duration, memory and CPU rules. Raises ValueError when it has no such memory size.

    A plan that holds instances, used without saying how many, holds as many as its requests need on average.
    """
    work = tuple(_work(plan, usage, calls) for calls in usage.calls)
    notes = [note(plan, usage, calls) for calls in usage.calls for note in (_sharing_note, _memory_note)]
    if usage.reserve is None and plan.reserve.minimum and usage.calls:
        reserve = needed_reserve(plan, usage)
        memory_mb = plan.memory.billed_mb(reserve.memory_mb)
        facts = {"instances": reserve.instances, "memory": memory_mb, "hours": reserve.hours, "use": plan.reserve.use}
        notes.append(HELD.format(**facts))
        usage = replace(usage, reserve=reserve)
    return MeteredUsage(plan, usage, work, tuple(dict.fromkeys(note for note in notes if note)))


def needed_reserve(plan: Plan, usage: Usage) -> Reserve:
    """Instances held all month so that on average the plan's `use` of them is busy, and its minimum at least."""
    shared = usage.concurrency if plan.duration.sharing == "instance" else 1
    busy_s = sum((_busy_s(calls, shared) for calls in usage.calls), ZERO)
    needed = busy_s / (usage.month_hours * HOUR_S) / (plan.reserve.use * plan.reserve.places)
    instances = max(needed.to_integral_value(ROUND_CEILING), Decimal(plan.reserve.minimum))
    largest = max(usage.calls, key=lambda calls: calls.memory_mb)
    return Reserve(instances, usage.month_hours, largest.memory_mb, largest.vcpu)


def _busy_s(calls: Calls, shared: int) -> Decimal:
    """Instance-seconds of work without rounding: what overlapped as measured, or `shared` requests at a time."""
    worked_s = calls.requests * calls.duration_ms / 1000
    return worked_s / shared if calls.instance_s is None else min(worked_s, calls.instance_s)


def _work(plan: Plan, usage: Usage, calls: Calls) -> BilledWork:
    memory_mb = plan.memory.billed_mb(calls.memory_mb, calls.observed_mb)
    cpu = plan.cpu.units(memory_mb, concurrency=usage.concurrency) if calls.vcpu is None else calls.vcpu
    return BilledWork(
        requests=calls.requests,
        instance_s=_instance_s(plan, usage, calls),
        memory_gb=memory_mb / GB_MB,
        cpu=cpu,
        ephemeral_gb=max(calls.ephemeral_mb - EPHEMERAL_FREE_MB, ZERO) / GB_MB,
        streamed_gb=max(calls.streamed_mb - STREAM_FREE_MB, ZERO) / GB_MB,
        cold=calls.requests * calls.cold_share,
        reserved=calls.reserved,
    )


def _instance_s(plan: Plan, usage: Usage, calls: Calls) -> Decimal:
    """Billed time: as measured, of a steady stream, or of requests which are each alone in their instance."""
    if calls.instance_s is not None:
        return calls.instance_s
    alone_ms = plan.duration.billed_ms(calls.duration_ms)
    started_ms = plan.duration.billed_ms(calls.duration_ms, calls.init_ms) - alone_ms
    started_s = calls.requests * calls.cold_share * started_ms / 1000
    if calls.rate_per_s is None or plan.duration.sharing == "none":
        return calls.requests * alone_ms / 1000 + started_s
    return shared_instance_s(plan.duration, _stream(usage, calls, calls.rate_per_s)) + started_s


def _stream(usage: Usage, calls: Calls, rate_per_s: Decimal) -> Stream:
    return Stream(calls.requests, calls.duration_ms, rate_per_s, usage.concurrency)


def _sharing_note(plan: Plan, usage: Usage, calls: Calls) -> str | None:
    """What was assumed about requests that could share an instance; None where it makes no difference."""
    rule = plan.duration
    if rule.sharing == "none" or calls.instance_s is not None or not calls.requests:
        return None
    if usage.concurrency == ONE and rule.minimum_per == "request":
        return None
    if calls.rate_per_s is None:
        return ALONE
    return STEADY.format(instances=_stream(usage, calls, calls.rate_per_s).instances)


def _memory_note(plan: Plan, usage: Usage, calls: Calls) -> str | None:
    """Note when a plan bills a larger memory size than the configured one."""
    billed_mb = plan.memory.billed_mb(calls.memory_mb, calls.observed_mb)
    if plan.memory.billed != "configured" or billed_mb == calls.memory_mb or not usage.requests:
        return None
    return RAISED.format(configured=calls.memory_mb, billed=billed_mb)
