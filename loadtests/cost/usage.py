"""A month of use, from which a bill is computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

ZERO = Decimal(0)
ONE = Decimal(1)
Number = Decimal | float | str  # int is a float to a type checker
MONTH_HOURS = Decimal(730)  # 365 days / 12; vendors also print 720 and 744


class UsageError(ValueError):
    """Use that cannot be: the message names the value and what is expected."""


@dataclass(frozen=True, slots=True)
class Calls:
    """Equal requests. `duration_ms` is the function's own time; `init_ms` comes first in `cold_share` of them.

    `memory_mb` is the configured size, `observed_mb` what was in use (for plans that bill that; None: all of
    it). `vcpu` overrides the plan's rule. `reserved`: served by capacity that is held (provisioned,
    always ready). `instance_s` is the billed instance time of all these requests where it is known from
    measurement; it then replaces what the duration rule would give. `rate_per_s`: these requests arrive at
    random at this steady rate, which tells how they share instances (None: each is alone in its instance).
    `streamed_mb` is the length of one answer where it is streamed.
    """

    requests: Decimal
    duration_ms: Decimal
    memory_mb: Decimal
    init_ms: Decimal = ZERO
    cold_share: Decimal = ZERO
    observed_mb: Decimal | None = None
    vcpu: Decimal | None = None
    reserved: bool = False
    instance_s: Decimal | None = None
    ephemeral_mb: Decimal = Decimal(512)
    streamed_mb: Decimal = ZERO
    rate_per_s: Decimal | None = None

    def __post_init__(self) -> None:
        _refuse_negative(self)
        if self.memory_mb <= 0:
            raise UsageError(f"memory_mb is {self.memory_mb}: expected more than 0")
        if self.cold_share > 1:
            raise UsageError(f"cold_share is {self.cold_share}: expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Reserve:
    """Instances held whether used or not: provisioned, minimum or always-ready ones, or a plan by the hour.

    They are held `periods` times a month for `hours` each; every period is rounded up on its own.
    """

    instances: Decimal
    hours: Decimal
    memory_mb: Decimal
    vcpu: Decimal | None = None
    periods: Decimal = ONE

    def __post_init__(self) -> None:
        _refuse_negative(self)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """Published versions kept for SnapStart, for `hours` each; `restores` None: one for every cold start."""

    memory_mb: Decimal
    versions: Decimal = ONE
    hours: Decimal = MONTH_HOURS
    restores: Decimal | None = None

    def __post_init__(self) -> None:
        _refuse_negative(self)


@dataclass(frozen=True, slots=True)
class Usage:
    """A month of one account. `egress_gb`, `log_gb` in GiB; `image_gb` is container image kept all month, GiB.

    `gateway` is what stands in front (None: the plan's default). `gateway_kb` is the larger of one request's
    and one answer's body: some gateways meter by it. `gateway_steps` is how many requests one counts for there
    on average, where that is measured; it then replaces what `gateway_kb` would give. `concurrency` is the
    configured number of requests that one instance may serve at a time.
    """

    calls: tuple[Calls, ...]
    reserve: Reserve | None = None
    snapshots: Snapshots | None = None
    gateway: str | None = None
    gateway_kb: Decimal = ZERO
    gateway_steps: Decimal | None = None
    egress_gb: Decimal = ZERO
    log_gb: Decimal = ZERO
    image_gb: Decimal = ZERO
    concurrency: int = 1
    month_hours: Decimal = MONTH_HOURS

    def __post_init__(self) -> None:
        _refuse_negative(self)
        if self.concurrency < 1 or self.month_hours <= 0:
            raise UsageError(f"concurrency {self.concurrency} and month_hours {self.month_hours} must be positive")

    @property
    def requests(self) -> Decimal:
        return sum((calls.requests for calls in self.calls), ZERO)


def usage_of(requests: Number, duration_ms: Number, memory_mb: Number, **calls: Number) -> Usage:
    """A month of equal requests, from plain numbers; `calls` are further fields of `Calls`.

    `usage_of(3_000_000, 120, 1536, ephemeral_mb=2048)`. Numbers are taken as they print: 0.1 is a tenth.
    """
    exact: dict[str, Any] = {name: Decimal(str(value)) for name, value in calls.items()}
    plain = Calls(Decimal(str(requests)), Decimal(str(duration_ms)), Decimal(str(memory_mb)))
    return Usage((replace(plain, **exact),))


def _refuse_negative(record: Any) -> None:
    for name in record.__dataclass_fields__:
        value = getattr(record, name)
        if isinstance(value, Decimal) and not (value.is_finite() and value >= 0):
            raise UsageError(f"{name} is {value}: expected a number of 0 or more")
