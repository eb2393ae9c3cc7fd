"""Google's Cloud Billing Catalog: pages of SKUs, each with tiered rates; it needs an API key.

Source: cloud.google.com/billing/docs/reference/rest, services.skus.list, read 2026-11-20. A price is
`units` + `nanos` / 10**9. SKUs are found by id: descriptions differ in spacing and change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from loadtests.prices.listing import ListedPrice, PriceListFormat, Step, listed
from loadtests.prices.rate import PriceError

_NANO = Decimal("1e-9")
_PAGE = 5000


def _addresses(section: Mapping[str, Any], region: str, key: str) -> Sequence[str]:
    asked = urlencode({"key": key, "currencyCode": "USD", "pageSize": _PAGE})
    return [f"{str(section['url']).format(service=service)}?{asked}" for service in section["services"]]


def _following(address: str, page: Mapping[str, Any]) -> str | None:
    token = page.get("nextPageToken")
    return f"{address.split('&pageToken=')[0]}&{urlencode({'pageToken': token})}" if token else None


def _read(pages: Sequence[Mapping[str, Any]], region: str, wanted: Mapping[str, Any]) -> dict[str, ListedPrice]:
    """Prices by name; `wanted` maps each to its `{skus}`, of which the one that serves `region` counts."""
    found: dict[str, ListedPrice] = {}
    for name, selector in wanted.items():
        steps = [step for page in pages for step in _steps(page, region, selector["skus"])]
        if steps:
            found[name] = listed(name, steps)
    return found


def _steps(page: Mapping[str, Any], region: str, skus: Sequence[str]) -> Iterator[Step]:
    for sku in page.get("skus", ()):
        if sku["skuId"] in skus and {region, "global"} & set(sku["serviceRegions"]):
            expression = sku["pricingInfo"][-1]["pricingExpression"]
            for row in expression["tieredRates"]:
                yield Decimal(row["startUsageAmount"]), _usd(sku["skuId"], row["unitPrice"])


def _usd(sku: str, price: Mapping[str, Any]) -> Decimal:
    if price["currencyCode"] != "USD":
        raise PriceError(f"the list's price of SKU {sku} is in {price['currencyCode']}: expected USD")
    return Decimal(price.get("units", 0)) + Decimal(price.get("nanos", 0)) * _NANO


READER = PriceListFormat(needs_key=True, addresses=_addresses, following=_following, read=_read)
