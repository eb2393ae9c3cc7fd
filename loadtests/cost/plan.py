"""The records of a plan: its meters and the rules by which a cloud bills. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from loadtests.cost.cpu import CpuRule
    from loadtests.cost.duration import DurationRule
    from loadtests.cost.memory import MemoryRule

PlanKind = Literal["serverless", "commitment", "container"]
KINDS: tuple[PlanKind, ...] = ("serverless", "commitment", "container")
LineName = Literal["compute", "requests", "reserved", "gateway", "egress", "logs", "image storage"]
LINES: tuple[LineName, ...] = ("compute", "requests", "reserved", "gateway", "egress", "logs", "image storage")


@dataclass(frozen=True, slots=True)
class Meter:
    """One thing that is counted and priced.

    `quantity` names the rule that counts (`loadtests.cost.quantities`), `rate` the price, in which
    `{architecture}` and `{gateway}` are filled in. `free` units a month cost nothing; with `credit_region`
    they are worth what they cost there, as money. `quantities` name other rules for some gateways. `discount` is the
    share that a commitment takes off the price.
    """

    name: str
    line: LineName
    quantity: str
    rate: str
    free: Decimal = Decimal(0)
    credit_region: str | None = None
    quantities: Mapping[str, str] = field(default_factory=dict)
    discount: Decimal = Decimal(0)

    def counts(self, gateway: str) -> str:
        """The rule that counts behind `gateway`."""
        return self.quantities.get(gateway, self.quantity)


@dataclass(frozen=True, slots=True)
class ReserveRule:
    """Held time is rounded up to `step_s`, `minimum_s` at least; `minimum` instances are held (0: none need be).

    Where their number is not given, as many are held as are busy for `use` of the time on average, each with `places`
    requests at once.
    """

    step_s: Decimal = Decimal(1)
    minimum_s: Decimal = Decimal(0)
    minimum: int = 0
    use: Decimal = Decimal("0.6")
    places: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class Plan:
    """A billing mode of a cloud.

    `kind` "commitment" is a plan at a lower price for a promise of one year or more, "container" what runs without
    serverless functions. `alternative` names the plan that reads the same rules differently, or is empty. `limits`
    are those of its own, as `[limits]` of cloud.toml has the cloud's.
    """

    cloud: str
    name: str
    about: str
    default: bool
    alternative: str
    duration: DurationRule
    memory: MemoryRule
    cpu: CpuRule
    reserve: ReserveRule
    snapshot_minimum_s: Decimal
    architectures: tuple[str, ...]
    gateways: tuple[str, ...]
    meters: tuple[Meter, ...]
    assumptions: tuple[str, ...]
    source: str
    read: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    kind: PlanKind = "serverless"

    @property
    def bills_reserved(self) -> bool:
        """Whether instances that are held without being used are paid for."""
        return any(meter.quantity.startswith(("reserved_", "idle_")) for meter in self.meters)

    @property
    def bills_instance_lifetime(self) -> bool:
        """Whether instances are paid for from their start to their end, and the requests in them cost no time."""
        return self.reserve.minimum > 0 and all(meter.line != "compute" for meter in self.meters)

    @property
    def spills_on_demand(self) -> bool:
        """Whether requests that find no held instance free run on demand, on meters of their own."""
        return any(meter.quantity == "gb_s_on_demand" for meter in self.meters)
