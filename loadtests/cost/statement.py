"""Write bills for other tools: CSV with a row for each part of a line, and FOCUS. Pure but for the date."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import IO, TYPE_CHECKING

from adapters import contract

if TYPE_CHECKING:
    from loadtests.cost.bill import Bill, BillLine, BillPart
    from loadtests.cost.comparison import CostComparison
    from loadtests.cost.currency import Currency

# focus.finops.org, version 1.2: the columns that every row needs, then those of a cost that has them.
FOCUS_MANDATORY = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargePeriodEnd",
    "ChargePeriodStart", "ContractedCost", "EffectiveCost", "InvoiceIssuerName", "ListCost", "PricingQuantity",
    "PricingUnit", "ProviderName", "PublisherName", "ServiceCategory", "ServiceName",
)  # fmt: skip
FOCUS_CONDITIONAL = (
    "ChargeFrequency", "CommitmentDiscountCategory", "CommitmentDiscountId", "CommitmentDiscountName",
    "CommitmentDiscountStatus", "CommitmentDiscountType", "ConsumedQuantity", "ConsumedUnit", "ContractedUnitPrice",
    "ListUnitPrice", "PricingCategory", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType",
    "SkuId", "SkuPriceId", "SubAccountId", "SubAccountName", "Tags",
)  # fmt: skip
FOCUS_OWN = ("x_Plan", "x_Architecture", "x_Part", "x_PriceSource", "x_PriceConfidence")
CSV_COLUMNS = (
    "plan", "cloud", "architecture", "region", "line", "meter", "part", "quantity", "unit", "unit_price_usd", "usd",
    "price_region", "price_source", "price_confidence", "not_priced",
)  # fmt: skip
_PROVIDERS = {"aws": "Amazon Web Services", "gcp": "Google Cloud", "azure": "Microsoft"}
_CATEGORIES = {
    "gateway": "Integration", "egress": "Networking", "logs": "Management and Governance", "image storage": "Storage",
}  # fmt: skip
_ACCOUNT = "forecast"


def plain(value: Decimal) -> str:
    """As a plain number: never with an exponent, and 0 as 0."""
    return "0" if not value else f"{value.normalize():f}"


def write_csv(comparison: CostComparison, stream: IO[str], *, free: bool, currency: Currency) -> None:
    """Write a row for each part of each line that is not empty, and one for each plan that cannot serve this.

    The rows of a plan add up to its bill. A currency that is not USD has a column of its own.
    """
    other = f"cost_{currency.code.lower()}"
    columns = CSV_COLUMNS if currency.is_usd else (*CSV_COLUMNS, other)
    writer = csv.DictWriter(stream, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for name, bill in _bills(comparison, free=free):
        for line in bill.lines:
            for part in line.parts:
                money = {"unit_price_usd": plain(part.unit_usd), "usd": plain(part.usd)}
                writer.writerow({**_row(name, bill, line, part), **money, other: plain(currency.of_usd(part.usd))})
    for way, reason in comparison.impossible:
        facts = {"plan": way.name, "cloud": way.plan.cloud, "architecture": way.architecture, "region": way.region}
        writer.writerow({**facts, "not_priced": reason})


def _bills(comparison: CostComparison, *, free: bool) -> Iterator[tuple[str, Bill]]:
    for offer in comparison.offers:
        yield offer.candidate.name, offer.with_grant if free else offer.without_grant


def _row(name: str, bill: Bill, line: BillLine, part: BillPart) -> dict[str, str]:
    return {
        "plan": name,
        "cloud": bill.cloud,
        "architecture": bill.architecture,
        "region": bill.region,
        "line": line.name,
        "meter": line.meter,
        "part": part.kind,
        "quantity": plain(part.quantity),
        "unit": line.unit,
        "price_region": line.region,
        "price_source": line.source,
        "price_confidence": line.confidence,
    }


def write_focus(comparison: CostComparison, stream: IO[str], *, free: bool, currency: Currency, today: date) -> None:
    """Write the bills as a FOCUS 1.2 data set for the month after `today`: a forecast in the form of an invoice.

    Free units are rows at a price of 0, a credit is a row of its own with a negative cost.
    """
    begin = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    end = date(begin.year + begin.month // 12, begin.month % 12 + 1, 1)
    period = {"Start": f"{begin}T00:00:00Z", "End": f"{end}T00:00:00Z"}
    columns = (*FOCUS_MANDATORY, *FOCUS_CONDITIONAL, *FOCUS_OWN)
    writer = csv.DictWriter(stream, columns, restval="", lineterminator="\n")
    writer.writeheader()
    for name, bill in _bills(comparison, free=free):
        for line in bill.lines:
            for part in line.parts:
                writer.writerow(_focus_row(name, bill, line, part, currency) | _period(period))


def _period(period: Mapping[str, str]) -> dict[str, str]:
    return {f"{kind}Period{side}": at for kind in ("Billing", "Charge") for side, at in period.items()}


def _focus_row(name: str, bill: Bill, line: BillLine, part: BillPart, currency: Currency) -> dict[str, str]:
    provider, credit = _PROVIDERS.get(bill.cloud, bill.cloud), part.kind == "credit"
    cost = plain(currency.of_usd(part.usd))
    unit_price = plain(currency.of_usd(part.unit_usd))
    listed = "0" if credit else cost
    about = {"free": "free grant", "tier": f"at {plain(part.unit_usd)} USD", "credit": "credit of the free grant"}
    usage = {
        "ConsumedQuantity": plain(part.quantity),
        "ConsumedUnit": line.unit,
        "ListUnitPrice": unit_price,
        "ContractedUnitPrice": unit_price,
        "SkuId": f"{bill.cloud}/{bill.plan}/{line.meter}",
        "SkuPriceId": f"{bill.cloud}/{bill.plan}/{line.meter}/{line.region}/{bill.prices_of}",
        "PricingQuantity": plain(part.quantity),
        "PricingUnit": line.unit,
        "PricingCategory": "Standard",
        "ChargeFrequency": "Usage-Based",
    }
    return {
        "BilledCost": cost,
        "EffectiveCost": cost,
        "ListCost": listed,
        "ContractedCost": listed,
        "BillingAccountId": _ACCOUNT,
        "BillingAccountName": "Tripoint forecast, not an invoice",
        "BillingCurrency": currency.code,
        "ChargeCategory": "Credit" if credit else "Usage",
        "ChargeDescription": f"{line.meter} of {name}, {about[part.kind]}",
        "InvoiceIssuerName": provider,
        "ProviderName": provider,
        "PublisherName": provider,
        "ServiceCategory": _CATEGORIES.get(line.name, "Compute"),
        "ServiceName": contract.load(bill.cloud).title,
        "RegionId": bill.region,
        "RegionName": bill.region,
        "Tags": json.dumps({"tripoint-plan": name}),
        "x_Plan": name,
        "x_Architecture": bill.architecture,
        "x_Part": part.kind,
        "x_PriceSource": line.source,
        "x_PriceConfidence": line.confidence,
        **({"ChargeFrequency": "Recurring"} if credit else usage),
    }
