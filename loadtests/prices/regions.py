"""Resolve `eu`, `europe-west3` or `aws/eu-north-1` to regions of clouds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from loadtests.prices.rate import PriceError

if TYPE_CHECKING:
    from loadtests.prices.book import CloudPrices, PriceBook

Places = dict[str, tuple[str, ...]]


def places(book: PriceBook, clouds: Sequence[str], names: Sequence[str]) -> Places:
    """Regions by cloud, in the order of `names`; without names, none for each of the clouds.

    `clouds` empty means all of the book. A region that no book has is named with its cloud. Raises
    PriceError for a cloud or region that is not known.
    """
    chosen = [book.of(cloud) for cloud in clouds or book.clouds]
    if not names:
        return {prices.cloud: () for prices in chosen}
    for name in names:
        if not any(_resolve(prices, name) for prices in chosen):
            known = sorted({region for prices in chosen for region in (*prices.areas, *prices.regions)})
            raise PriceError(f"no region {name!r}: known are {', '.join(known)}; a new one is named cloud/region")
    found = {prices.cloud: tuple(filter(None, (_resolve(prices, name) for name in names))) for prices in chosen}
    return {cloud: regions for cloud, regions in found.items() if regions}


def _resolve(prices: CloudPrices, name: str) -> str | None:
    """The region that `name` is in this cloud, if it is one."""
    cloud, _, region = name.rpartition("/")
    if cloud:
        return region if cloud == prices.cloud and region else None
    return prices.region(name) if prices.knows(name) else None
