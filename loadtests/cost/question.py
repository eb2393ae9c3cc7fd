"""A question without a run: what these requests would cost on every plan."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from loadtests.cost.metering import needed_reserve
from loadtests.cost.sharing import overflow_share
from loadtests.cost.usage import MONTH_HOURS, ZERO, Calls, Reserve, Snapshots, Usage, UsageError

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan

_KIB_PER_GIB = Decimal(1024**2)
_SCALE = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "b": 10**9}
_DAY_HOURS = Decimal(24)
_HOURS = {
    "month": None,
    "day": _DAY_HOURS,
    "h": Decimal(1),
    "hour": Decimal(1),
    "min": 1 / Decimal(60),
    "s": 1 / Decimal(3600),
}
ALIKE = "the same duration on every cloud, memory size and concurrency: measure it to know better"
MONTH = "a month has {hours} hours; requests arrive at random at a steady rate"
HELD = (
    "plans with held instances hold what the mean load needs; requests that find all busy run on demand, where the "
    "plan has that"
)
GIVEN = (
    "plans that can hold instances hold {held} all month; requests that find all busy run on demand, or the plan "
    "holds as many more as the mean load needs"
)
NO_LOGS = "logs are not counted: --log-kb was not given"
NO_INIT = "cold starts add no time: --init-ms was not given"
NO_IMAGE = "image storage is not counted: --image-gb was not given"
_VOLUME = re.compile(r"([\d_.,]*\d)\s*([kmgb]?)\s*(?:/\s*([a-z]+))?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+(\.\d+)?|[^,]*")  # a comma groups thousands, and nothing else


@dataclass(frozen=True, slots=True)
class CostQuestion:
    """Requests a month, alike, that arrive at random at a steady rate.

    `observed_mb` None: all memory is in use. `held`: instances held all month by plans that can; None: as many
    as the mean load needs, by plans that must. They are held for `held_hours` of each day; what comes in the other
    hours runs on demand. `payload_kb` is what a request brings (free of egress), `response_kb` what an answer takes
    out, `streamed_mb` the length of an answer that is streamed. `vcpu` None: what the plan gives the memory size.
    `versions` are kept as snapshots, for `snapshot_hours` each (None: all month), by plans that restore from them.
    """

    duration_ms: Decimal
    memory_mb: Decimal
    requests: Decimal
    cold_share: Decimal = ZERO
    init_ms: Decimal = ZERO
    payload_kb: Decimal = ZERO
    response_kb: Decimal = Decimal(1)
    log_kb: Decimal = ZERO
    image_gb: Decimal = ZERO
    observed_mb: Decimal | None = None
    held: Decimal | None = None
    concurrency: int = 1
    gateway: str | None = None
    vcpu: Decimal | None = None
    ephemeral_mb: Decimal = Decimal(512)
    streamed_mb: Decimal = ZERO
    held_hours: Decimal = _DAY_HOURS
    month_hours: Decimal = MONTH_HOURS
    versions: Decimal = Decimal(1)
    snapshot_hours: Decimal | None = None

    @property
    def rate_per_s(self) -> Decimal:
        """The mean rate of requests."""
        return self.requests / (self.month_hours * 3600)

    def at(self, requests: Decimal) -> CostQuestion:
        """The same question at another monthly volume."""
        return replace(self, requests=requests)

    def usage(self, plan: Plan) -> Usage:
        """The month as `plan` would see it."""
        usage = Usage(
            calls=(self._calls(),),
            snapshots=Snapshots(
                memory_mb=self.memory_mb,
                versions=self.versions,
                hours=self.month_hours if self.snapshot_hours is None else self.snapshot_hours,
            ),
            gateway=self.gateway if self.gateway in plan.gateways else None,
            gateway_kb=max(self.payload_kb, self.response_kb),
            egress_gb=self.requests * self.response_kb / _KIB_PER_GIB,
            log_gb=self.requests * self.log_kb / _KIB_PER_GIB,
            image_gb=self.image_gb,
            concurrency=self.concurrency,
            month_hours=self.month_hours,
        )
        if not plan.bills_reserved or (self.held is None and not plan.reserve.minimum):
            return usage
        needed = needed_reserve(plan, usage)
        held = needed if self.held is None else self._reserve(self.held)
        if not plan.spills_on_demand and needed.instances > held.instances:
            held = needed  # there is nowhere else for the rest of the load
        given = held if self.held is not None and held.instances == self.held else None
        if not plan.spills_on_demand:
            return replace(usage, calls=self._split(plan, held.instances), reserve=given)
        days = self.month_hours / _DAY_HOURS
        by_day = replace(held, hours=self.held_hours, periods=days) if self.held_hours < _DAY_HOURS else given
        return replace(usage, calls=self._split(plan, held.instances), reserve=by_day)

    def assumptions(self) -> tuple[str, ...]:
        """What the answer takes for granted, whatever the plan."""
        notes = [
            ALIKE,
            MONTH.format(hours=self.month_hours),
            HELD if self.held is None else GIVEN.format(held=self.held),
        ]
        if self.cold_share and not self.init_ms:
            notes.append(NO_INIT)
        notes += [] if self.image_gb else [NO_IMAGE]
        notes += [] if self.log_kb else [NO_LOGS]
        return tuple(notes)

    def _calls(self) -> Calls:
        return Calls(
            requests=self.requests,
            duration_ms=self.duration_ms,
            memory_mb=self.memory_mb,
            init_ms=self.init_ms,
            cold_share=self.cold_share,
            observed_mb=self.observed_mb,
            rate_per_s=self.rate_per_s,
            vcpu=self.vcpu,
            ephemeral_mb=self.ephemeral_mb,
            streamed_mb=self.streamed_mb,
        )

    def _reserve(self, instances: Decimal) -> Reserve:
        return Reserve(instances, self.month_hours, self.memory_mb, self.vcpu)

    def _split(self, plan: Plan, instances: Decimal) -> tuple[Calls, ...]:
        """What held instances serve, without cold starts, and what overflows from them."""
        calls = self._calls()
        places = instances * (self.concurrency if plan.duration.sharing == "instance" else 1)
        load = self.rate_per_s * self.duration_ms / 1000
        over = overflow_share(load, places) if plan.spills_on_demand else ZERO
        if plan.spills_on_demand:
            over = 1 - (1 - over) * self.held_hours / _DAY_HOURS  # in the other hours all of them run on demand
        kept = replace(calls, requests=self.requests * (1 - over), cold_share=ZERO, reserved=True)
        return _thinned(kept, 1 - over), _thinned(replace(calls, requests=self.requests * over), over)


def _thinned(calls: Calls, part: Decimal) -> Calls:
    """The stream's rate as far as it is this part's."""
    return calls if calls.rate_per_s is None else replace(calls, rate_per_s=calls.rate_per_s * part)


def monthly_volume(text: str, month_hours: Decimal = MONTH_HOURS) -> Decimal:
    """Read `10M/month`, `10M`, `300k/day` or `5/s` as requests a month of so many hours. Raises UsageError."""
    found = _VOLUME.fullmatch(text.strip())
    period = (found[3] or "month").lower() if found else ""
    if found is None or period not in _HOURS:
        raise UsageError(f"volume {text!r}: expected such as 10M/month, 300k/day or 5/s")
    if not _GROUPED.fullmatch(found[1]):
        raise UsageError(
            f"volume {text!r}: a comma groups thousands, as in 1,500,000; write a point: {_pointed(text)}"
        )
    try:
        number = Decimal(found[1].replace("_", "").replace(",", ""))
    except InvalidOperation:
        raise UsageError(f"volume {text!r}: {found[1]!r} is not a number") from None
    hours = _HOURS[period]
    return number * _SCALE[found[2].lower()] * (1 if hours is None else month_hours / hours)


def _pointed(text: str) -> str:
    return text.strip().replace(",", ".", 1)


def held_instances(text: str) -> Decimal:
    """Read a whole number of instances, 1 or more. Raises UsageError."""
    value = exact_number("--held", text)
    if value < 1 or value != value.to_integral_value():
        raise UsageError(
            f"--held is {text!r}: expected a whole number of 1 or more; leave it out to hold what is needed"
        )
    return value


def share(text: str) -> Decimal:
    """Read `2%` or `0.02`. Raises UsageError outside 0 to 1."""
    try:
        value = Decimal(text.strip().removesuffix("%")) / (100 if text.strip().endswith("%") else 1)
    except InvalidOperation:
        raise UsageError(f"share {text!r}: expected such as 2% or 0.02") from None
    if not 0 <= value <= 1:
        raise UsageError(f"share {text!r}: expected 0% to 100%")
    return value


def exact_number(name: str, text: str) -> Decimal:
    """Read a number of 0 or more; `name` is what the error calls it. Raises UsageError."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise UsageError(f"{name} is {text!r}: expected a number") from None
    if not value.is_finite() or value < 0:
        raise UsageError(f"{name} is {text!r}: expected a number of 0 or more")
    return value
