"""Azure Retail Prices API: pages of items, each one step of one meter's price.

Source: learn.microsoft.com, rest/api/cost-management/retail-prices, read 2026-11-20. `unitOfMeasure` says how
many units `retailPrice` is for ("10", "1 GB Second"), and `tierMinimumUnits` counts in the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from loadtests.prices.listing import ListedPrice, PriceListFormat, Step, listed, words
from loadtests.prices.rate import PriceError

_MEASURE = re.compile(r"(\d+)\s*([KM]?)\b", re.IGNORECASE)
_SCALE = {"": 1, "K": 1000, "M": 1_000_000}


def _addresses(section: Mapping[str, Any], region: str, key: str) -> Sequence[str]:
    condition = str(section["filter"]).format(region=region)
    return [f"{section['url']}?$filter={quote(condition)}"]


def _following(address: str, page: Mapping[str, Any]) -> str | None:
    return page.get("NextPageLink") or None


def _read(pages: Sequence[Mapping[str, Any]], region: str, wanted: Mapping[str, Any]) -> dict[str, ListedPrice]:
    """Prices by name; `wanted` maps each to its `{meter}`."""
    found: dict[str, ListedPrice] = {}
    for name, selector in wanted.items():
        steps = [step for page in pages for step in _steps(page, region, words(selector["meter"]))]
        if steps:
            found[name] = listed(name, steps)
    return found


def _steps(page: Mapping[str, Any], region: str, meter: str) -> Iterator[Step]:
    for item in page["Items"]:
        here = item["armRegionName"] == region and item["type"] == "Consumption"
        if here and words(item["meterName"]) == meter:
            if item["currencyCode"] != "USD":
                raise PriceError(f"the list's price of {meter!r} is in {item['currencyCode']}: expected USD")
            units = _units(str(item["unitOfMeasure"]))
            yield Decimal(item["tierMinimumUnits"]) * units, Decimal(item["retailPrice"]) / units


def _units(measure: str) -> int:
    """How many units a price is for: 10 for "10", 1 for "1 GB Second", 1,000,000 for "1M"."""
    found = _MEASURE.match(measure)
    if found is None or int(found[1]) == 0:
        raise PriceError(f"the list has a unit {measure!r}: expected such as 10 or 1 GB Second")
    return int(found[1]) * _SCALE[found[2].upper()]


READER = PriceListFormat(needs_key=False, addresses=_addresses, following=_following, read=_read)
