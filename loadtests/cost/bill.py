"""A month's bill, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Literal

from loadtests.cost.metering import measure
from loadtests.cost.plans import PlanError, load_plan
from loadtests.cost.quantities import QUANTITIES
from loadtests.cost.usage import UsageError
from loadtests.prices.book import bundled_book

if TYPE_CHECKING:
    from loadtests.cost.plan import LineName, Meter, Plan
    from loadtests.cost.quantities import MeteredUsage
    from loadtests.cost.usage import Usage
    from loadtests.prices.book import CloudPrices, PriceBook, PriceLookup
    from loadtests.prices.rate import Rate

_CENT = Decimal("0.01")
_ZERO = Decimal(0)


PartKind = Literal["free", "tier", "credit"]


@dataclass(frozen=True, slots=True)
class BillPart:
    """Units of a line that have one price: free ones, those of a tier; a credit has no units and is negative."""

    kind: PartKind
    quantity: Decimal
    unit_usd: Decimal
    usd: Decimal


@dataclass(frozen=True, slots=True)
class BillLine:
    """One meter of the bill: `quantity` units used, `free_units` of them in the grant, `usd` to pay.

    `region` is the one whose price it is. The sums of `parts` are `usd`, and `quantity`.
    """

    name: LineName
    meter: str
    quantity: Decimal
    free_units: Decimal
    unit: str
    usd: Decimal
    source: str
    confidence: str
    region: str = ""
    parts: tuple[BillPart, ...] = ()

    @property
    def billable(self) -> Decimal:
        return self.quantity - self.free_units


@dataclass(frozen=True, slots=True)
class Bill:
    """What one plan asks for a month of use, with the assumptions behind it."""

    cloud: str
    plan: str
    region: str
    architecture: str
    prices_of: str
    requests: Decimal
    lines: tuple[BillLine, ...]
    assumptions: tuple[str, ...]

    @property
    def usd(self) -> Decimal:
        """The whole bill, exact."""
        return sum((line.usd for line in self.lines), _ZERO)

    @property
    def usd_per_million(self) -> Decimal:
        """Cost of a million of these requests; 0 when there were none."""
        return self.usd / self.requests * 1_000_000 if self.requests else _ZERO

    def line_usd(self, name: LineName) -> Decimal:
        """All meters of one line together."""
        return sum((line.usd for line in self.lines if line.name == name), _ZERO)

    def meter(self, name: str) -> BillLine:
        """One meter's line. Raises KeyError naming the meters of this bill."""
        for line in self.lines:
            if line.meter == name:
                return line
        raise KeyError(f"no meter {name!r} on this bill: it has {', '.join(line.meter for line in self.lines)}")


@dataclass(frozen=True, slots=True)
class BillTerms:
    """Where and how a plan is bought, as far as its price depends on it."""

    region: str | None = None
    architecture: str = "x86_64"
    free: bool = True


def bill(
    cloud: str,
    plan: str | None,
    usage: Usage,
    *,
    region: str | None = None,
    architecture: str = "x86_64",
    free: bool = True,
    book: PriceBook | None = None,
) -> Bill:
    """The bill of `plan` (None: the cloud's default one) for a month of `usage`.

    `region` None: the book's default; `free`: use the free grant; `book` None: the prices in `cloud.toml`.
    Raises ValueError (PlanError, UsageError, PriceError) for what the plan or the book does not have.
    """
    terms = BillTerms(region, architecture, free)
    return bill_plan(load_plan(cloud, plan), usage, terms=terms, prices=(book or bundled_book()).of(cloud))


def bill_plan(plan: Plan, usage: Usage, *, terms: BillTerms, prices: CloudPrices) -> Bill:
    """As `bill`, for a plan and prices that were read already; pure."""
    if terms.architecture not in plan.architectures:
        known = ", ".join(plan.architectures)
        raise PlanError(f"{plan.cloud}/{plan.name} has no architecture {terms.architecture!r}: it has {known}")
    region = prices.region(terms.region)
    metered, names = measure(plan, usage), {"architecture": terms.architecture, "gateway": gateway_of(plan, usage)}
    priced = [_price(meter, metered, prices=prices, place=(region, names, terms.free)) for meter in plan.meters]
    stood_in = (found.assumption for line, found in priced if line.quantity and found.assumption)
    notes = (*metered.assumptions, *plan.assumptions, *stood_in)
    lines = tuple(line for line, _ in priced)
    return Bill(
        cloud=plan.cloud,
        plan=plan.name,
        region=region,
        architecture=terms.architecture,
        prices_of=prices.date,
        requests=usage.requests,
        lines=lines,
        assumptions=tuple(dict.fromkeys(notes)),
    )


def gateway_of(plan: Plan, usage: Usage) -> str:
    """The gateway in front, checked. Raises UsageError when the plan has no such one."""
    chosen = usage.gateway or plan.gateways[0]
    if chosen not in plan.gateways:
        raise UsageError(f"{plan.cloud}/{plan.name} has no gateway {chosen!r}: it has {', '.join(plan.gateways)}")
    return chosen


def cents(usd: Decimal) -> Decimal:
    """Rounded half up to the cent, as bills and vendors' examples print it."""
    return usd.quantize(_CENT, ROUND_HALF_UP)


def _price(
    meter: Meter, metered: MeteredUsage, *, prices: CloudPrices, place: tuple[str, dict[str, str], bool]
) -> tuple[BillLine, PriceLookup]:
    """One meter's line: units less the free ones, or money less the credit."""
    region, names, free = place
    quantity = QUANTITIES[meter.counts(names["gateway"])](metered)
    key = meter.rate.format(**names)
    found = prices.find(region, key)
    facts = found.rate
    granted = min(meter.free, quantity) if free else _ZERO
    if meter.credit_region is None:
        parts = [BillPart("free", granted, _ZERO, _ZERO), *_tiers(facts, quantity - granted, meter.discount)]
    else:
        credit = prices.find(meter.credit_region, key).rate.usd(meter.free) if free else _ZERO
        parts = _tiers(facts, quantity, meter.discount)
        gross = sum((part.usd for part in parts), _ZERO)
        parts.append(BillPart("credit", _ZERO, _ZERO, -min(credit, gross)))
        granted = quantity * min(credit / gross, Decimal(1)) if gross else _ZERO
    usd = sum((part.usd for part in parts), _ZERO)
    kept = tuple(part for part in parts if part.quantity or part.usd)
    price = (facts.unit, usd, facts.source, facts.confidence, found.region, kept)
    return BillLine(meter.line, meter.name, quantity, granted, *price), found


def _tiers(rate: Rate, units: Decimal, discount: Decimal) -> list[BillPart]:
    priced = [(share, tier.usd * (1 - discount)) for share, tier in rate.shares(units)]
    return [BillPart("tier", share, usd, share * usd) for share, usd in priced]
