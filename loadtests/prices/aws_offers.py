"""AWS offer files: `offers/v1.0/aws/<service>/current/<region>/index.json` of the price-list endpoint.

Source: docs.aws.amazon.com, Price List Bulk API, read 2026-11-20. A product has attributes, among them its
group; its terms hold price dimensions, each from `beginRange` to `endRange`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from loadtests.prices.listing import ListedPrice, PriceListFormat, Step, listed, words

_NOWHERE = "any"  # location of the rows that describe the free tier: their price is 0 and no price


def _addresses(section: Mapping[str, Any], region: str, key: str) -> Sequence[str]:
    return [str(section["url"]).format(region=region)]


def _following(address: str, page: Mapping[str, Any]) -> None:
    """An offer file is one page."""


def _read(pages: Sequence[Mapping[str, Any]], region: str, wanted: Mapping[str, Any]) -> dict[str, ListedPrice]:
    """Prices by name; `wanted` maps each to its `{group}`."""
    found: dict[str, ListedPrice] = {}
    for name, selector in wanted.items():
        steps = [step for page in pages for step in _steps(page, region, words(selector["group"]))]
        if steps:
            found[name] = listed(name, steps)
    return found


def _steps(page: Mapping[str, Any], region: str, group: str) -> Iterator[Step]:
    terms = page["terms"]["OnDemand"]
    for sku, product in page["products"].items():
        attributes = product.get("attributes", {})
        here = attributes.get("regionCode") == region and words(attributes.get("location")) != _NOWHERE
        if here and words(attributes.get("group")) == group and sku in terms:
            newest = max(terms[sku].values(), key=lambda term: str(term["effectiveDate"]))
            for row in newest["priceDimensions"].values():
                yield Decimal(row["beginRange"]), Decimal(row["pricePerUnit"]["USD"])


READER = PriceListFormat(needs_key=False, addresses=_addresses, following=_following, read=_read)
