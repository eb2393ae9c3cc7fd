"""Count a month of use in the units of a meter, by a plan's rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.cost.usage import Reserve, Usage

GB_MB = Decimal(1024)  # "GB" in every compute meter is 1024 MB
HOUR_S = Decimal(3600)
STREAM_FREE_MB = Decimal(6)  # per answer; aws.amazon.com/lambda/pricing, read 2026-11-20
EPHEMERAL_FREE_MB = Decimal(512)
GATEWAY_STEP_KB = Decimal(512)
_ZERO = Decimal(0)
_EXACT = Decimal("1e-9")


@dataclass(frozen=True, slots=True)
class BilledWork:
    """Billed time and size of some requests."""

    requests: Decimal
    instance_s: Decimal
    memory_gb: Decimal
    cpu: Decimal
    ephemeral_gb: Decimal
    streamed_gb: Decimal
    cold: Decimal
    reserved: bool


@dataclass(frozen=True, slots=True)
class MeteredUsage:
    """All that the meters of a plan see in a month, and what had to be assumed for it."""

    plan: Plan
    usage: Usage
    work: tuple[BilledWork, ...]
    assumptions: tuple[str, ...] = ()

    def total(self, count: Callable[[BilledWork], Decimal], *, reserved: bool | None = None) -> Decimal:
        """Sum of `count` over the work, or over that which ran on reserved capacity or not."""
        chosen = (work for work in self.work if reserved is None or work.reserved is reserved)
        return sum((count(work) for work in chosen), _ZERO)

    @property
    def reserve_s(self) -> Decimal:
        """Instance-seconds held, each instance's time rounded up to the plan's step, its minimum at least."""
        reserve = self.usage.reserve
        if reserve is None:
            return _ZERO
        step = self.plan.reserve.step_s
        steps = (reserve.hours * HOUR_S / step).quantize(_EXACT)  # hours may be a fraction without an end
        held = steps.to_integral_value(ROUND_CEILING) * step
        if held:
            held = max(held, self.plan.reserve.minimum_s)
        return held * reserve.periods * max(reserve.instances, Decimal(self.plan.reserve.minimum))

    @property
    def idle_s(self) -> Decimal:
        """Held instance-seconds in which nothing ran, if all that ran on reserved capacity ran on it."""
        return max(self.reserve_s - self.total(lambda work: work.instance_s, reserved=True), _ZERO)

    def reserve_gb(self) -> Decimal:
        return _ZERO if self.usage.reserve is None else self._held(self.usage.reserve)[0]

    def reserve_cpu(self) -> Decimal:
        return _ZERO if self.usage.reserve is None else self._held(self.usage.reserve)[1]

    def _held(self, reserve: Reserve) -> tuple[Decimal, Decimal]:
        memory_mb = self.plan.memory.billed_mb(reserve.memory_mb)
        rule = self.plan.cpu.units(memory_mb, concurrency=self.usage.concurrency)
        return memory_mb / GB_MB, rule if reserve.vcpu is None else reserve.vcpu


def _gb_s(work: BilledWork) -> Decimal:
    return work.instance_s * work.memory_gb


def _cpu_s(work: BilledWork) -> Decimal:
    return work.instance_s * work.cpu


def _snapshot_gb_s(metered: MeteredUsage) -> Decimal:
    kept = metered.usage.snapshots
    if kept is None:
        return _ZERO
    held_s = max(kept.hours * HOUR_S, metered.plan.snapshot_minimum_s)
    return kept.versions * held_s * metered.plan.memory.billed_mb(kept.memory_mb) / GB_MB


def _restored_gb(metered: MeteredUsage) -> Decimal:
    kept = metered.usage.snapshots
    if kept is None or kept.restores is None:
        return metered.total(lambda work: work.cold * work.memory_gb)
    return kept.restores * metered.plan.memory.billed_mb(kept.memory_mb) / GB_MB


def _gateway_requests(metered: MeteredUsage) -> Decimal:
    if metered.usage.gateway_steps is not None:
        return metered.usage.requests * metered.usage.gateway_steps
    steps = (metered.usage.gateway_kb / GATEWAY_STEP_KB).to_integral_value(ROUND_CEILING)
    return metered.usage.requests * max(steps, Decimal(1))


QUANTITIES: Mapping[str, Callable[[MeteredUsage], Decimal]] = {
    "requests": lambda metered: metered.usage.requests,
    "gateway_requests": lambda metered: metered.usage.requests,
    "gateway_requests_512_kb": _gateway_requests,
    "gb_s": lambda metered: metered.total(_gb_s),
    "gb_s_on_demand": lambda metered: metered.total(_gb_s, reserved=False),
    "gb_s_on_reserve": lambda metered: metered.total(_gb_s, reserved=True),
    "cpu_s": lambda metered: metered.total(_cpu_s),
    "requests_on_demand": lambda metered: metered.total(lambda work: work.requests, reserved=False),
    "requests_on_reserve": lambda metered: metered.total(lambda work: work.requests, reserved=True),
    "reserved_gb_s": lambda metered: metered.reserve_s * metered.reserve_gb(),
    "reserved_cpu_s": lambda metered: metered.reserve_s * metered.reserve_cpu(),
    "reserved_instance_h": lambda metered: metered.reserve_s / HOUR_S,
    "month_h": lambda metered: metered.usage.month_hours,
    "reserved_gb_h": lambda metered: metered.reserve_s * metered.reserve_gb() / HOUR_S,
    "reserved_cpu_h": lambda metered: metered.reserve_s * metered.reserve_cpu() / HOUR_S,
    "idle_gb_s": lambda metered: metered.idle_s * metered.reserve_gb(),
    "idle_cpu_s": lambda metered: metered.idle_s * metered.reserve_cpu(),
    "ephemeral_gb_s": lambda metered: metered.total(lambda work: work.instance_s * work.ephemeral_gb),
    "streamed_gb": lambda metered: metered.total(lambda work: work.requests * work.streamed_gb),
    "snapshot_gb_s": _snapshot_gb_s,
    "restored_gb": _restored_gb,
    "egress_gb": lambda metered: metered.usage.egress_gb,
    "log_gb": lambda metered: metered.usage.log_gb,
    "image_gb": lambda metered: metered.usage.image_gb,
}
