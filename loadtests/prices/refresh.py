"""Make a new price book from the vendors' public price lists."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters import contract
from loadtests.prices.aws_offers import READER as AWS_OFFERS
from loadtests.prices.azure_retail import READER as AZURE_RETAIL
from loadtests.prices.book import CloudPrices, read_prices
from loadtests.prices.google_catalog import READER as GOOGLE_CATALOG
from loadtests.prices.listing import ListedPrice, PriceListFormat, plain
from loadtests.prices.rate import FreeGrant, PriceError, Rate

if TYPE_CHECKING:
    from loadtests.prices.download import Fetch

READERS: Mapping[str, PriceListFormat] = {
    "aws-offers": AWS_OFFERS,
    "azure-retail": AZURE_RETAIL,
    "google-catalog": GOOGLE_CATALOG,
}
_MOST_PAGES = 100
_EXPECTED = (KeyError, TypeError, IndexError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that is not what the book before said; `before` is None for one that it did not have."""

    cloud: str
    region: str
    price: str
    before: Rate | None
    after: Rate


@dataclass(slots=True)
class RefreshedBook:
    """A new book's document, and what is to be said of it."""

    document: dict[str, Any]
    read: list[str] = field(default_factory=list)
    changes: list[PriceChange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PriceSource:
    """Where prices come from: the network (or recorded pages), the day, keys by cloud, and the plans' free grants."""

    fetch: Fetch
    today: str
    keys: Mapping[str, str] = field(default_factory=dict)
    grants: Callable[[str], Iterable[FreeGrant]] = lambda _: ()


def refresh(document: Mapping[str, Any], wanted: Mapping[str, Sequence[str]], source: PriceSource) -> RefreshedBook:
    """A copy of a book with the prices of `wanted` (regions by cloud) read anew.

    Prices that the lists do not have stay as they were, with their own dates. What fails is told in
    `failures`, cloud by cloud, and does not stop the others.
    """
    result = RefreshedBook({**copy.deepcopy(dict(document)), "date": source.today})
    pages: dict[str, list[Mapping[str, Any]]] = {}
    for cloud, regions in wanted.items():
        try:
            for region in regions:
                _refresh_region(result, (cloud, region), source, pages)
        except PriceError as error:
            result.failures.append(f"{cloud}: {error}")
    return result


def _refresh_region(
    result: RefreshedBook, place: tuple[str, str], source: PriceSource, pages: dict[str, list[Mapping[str, Any]]]
) -> None:
    cloud, region = place
    section = contract.load(cloud).data.get("price_list")
    if section is None:
        result.notes.append(f"{cloud}: its cloud.toml has no [price_list]; its prices stay as they are")
        return
    reader = _reader(cloud, section)
    key = source.keys.get(cloud, "")
    if reader.needs_key and not key:
        result.notes.append(f"{cloud}: its price list needs a key, {section['key']}; its prices stay as they are")
        return
    for address in reader.addresses(section, region, key):
        if address not in pages:
            pages[address] = _pages(reader, address, source.fetch)
    every = [page for address in reader.addresses(section, region, key) for page in pages[address]]
    _enter(result, place, _read(reader, every, region, section), (section, source))


def _reader(cloud: str, section: Mapping[str, Any]) -> PriceListFormat:
    name = str(section.get("reader"))
    if name not in READERS:
        raise PriceError(f"[price_list] of {cloud} names reader {name!r}: known are {', '.join(READERS)}")
    return READERS[name]


def _pages(reader: PriceListFormat, address: str, fetch: Fetch) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    following: str | None = address
    while following:
        if len(found) == _MOST_PAGES:
            raise PriceError(f"the price list has more than {_MOST_PAGES} pages: its paging does not end")
        found.append(fetch(following))
        following = reader.following(following, found[-1])
    return found


def _read(
    reader: PriceListFormat, pages: Sequence[Mapping[str, Any]], region: str, section: Mapping[str, Any]
) -> dict[str, ListedPrice]:
    try:
        found = reader.read(pages, region, section["rates"])
    except _EXPECTED as error:
        raise PriceError(f"the price list has another form than expected ({error!r}): report this") from None
    if not found:
        raise PriceError(f"the price list has no price for region {region!r}: check the region's name")
    return found


def _enter(
    result: RefreshedBook,
    place: tuple[str, str],
    found: Mapping[str, ListedPrice],
    origin: tuple[Mapping[str, Any], PriceSource],
) -> None:
    """Add a sheet of the new prices to the region, after its older ones."""
    (cloud, region), (section, source) = place, origin
    today = source.today
    prices = result.document["clouds"][cloud]
    before = read_prices(cloud, str(prices["date"]), prices)
    rates = {name: each.document(str(section["rates"][name]["unit"])) for name, each in found.items()}
    facts = {"source": section["source"], "read": today, "confidence": "H"}
    sheet = f"{region} {today}"
    prices["sheets"][sheet] = {**facts, "rates": rates}
    entry = prices["regions"].setdefault(region, {"sheets": [], "stand_in": prices["default_region"]})
    entry["sheets"] = [*(name for name in entry["sheets"] if name != sheet), sheet]
    prices["date"] = today
    after = read_prices(cloud, today, prices)
    result.read.append(f"{cloud} {region}: {len(rates)} prices")
    result.changes.extend(_changes(place, before, after, found))
    result.notes.extend(_grants(cloud, source.grants(cloud), found))
    kept = sorted(set(after.regions[region].rates) - set(found))
    if kept:
        result.notes.append(f"{cloud} {region}: not in the list, kept as they were: {', '.join(kept)}")


def _changes(
    place: tuple[str, str], before: CloudPrices, after: CloudPrices, found: Mapping[str, ListedPrice]
) -> list[PriceChange]:
    cloud, region = place
    old = before.regions[region].rates if region in before.regions else {}
    new = after.regions[region].rates
    differs = [name for name in found if name not in old or old[name].tiers != new[name].tiers]
    return [PriceChange(cloud, region, name, old.get(name), new[name]) for name in differs]


def _grants(cloud: str, grants: Iterable[FreeGrant], found: Mapping[str, ListedPrice]) -> list[str]:
    """Note the free grants of the list that differ from the plans' rules: the rules are then to be corrected."""
    notes = []
    for grant in grants:
        listed = found.get(grant.rate)
        if listed is not None and listed.free and listed.free != grant.free:
            free, rule = plain(listed.free), plain(Decimal(grant.free))
            notes.append(f"{cloud}/{grant.plan}: the list has {free} free {grant.meter}, the plan's rule {rule}")
    return notes
