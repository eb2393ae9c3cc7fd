"""Read one price from a vendor's price list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadtests.prices.rate import PriceError

Step = tuple[Decimal, Decimal]  # from so many units on, USD per unit


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """A price as listed: paid tiers, counted after `free` units that cost nothing."""

    tiers: tuple[Step, ...]
    free: Decimal = Decimal(0)

    def document(self, unit: str) -> dict[str, Any]:
        """The rate as a book stores it."""
        rows = [{"from": plain(start), "usd": plain(usd)} for start, usd in self.tiers]
        return {"unit": unit, "tiers": rows}


@dataclass(frozen=True, slots=True)
class PriceListFormat:
    """One vendor's form of price list.

    `addresses` gives the first pages' URLs for a region, from `[price_list]` and the user's key ("" for none);
    `following` the URL after a page, or None; `read` the wanted prices of all pages by the book's name for
    them. A price that the pages do not have is left out.
    """

    needs_key: bool
    addresses: Callable[[Mapping[str, Any], str, str], Sequence[str]]
    following: Callable[[str, Mapping[str, Any]], str | None]
    read: Callable[[Sequence[Mapping[str, Any]], str, Mapping[str, Any]], dict[str, ListedPrice]]


def listed(name: str, steps: Sequence[Step]) -> ListedPrice:
    """Order the steps; a first one that costs nothing, with a paid one after it, is the free grant.

    Raises PriceError when there is none, the first does not start at 0, or two steps start at the same volume.
    """
    ordered = sorted(set(steps))
    starts = [start for start, _ in ordered]
    if not ordered or starts[0] != 0 or len(set(starts)) != len(starts):
        shown = [(plain(start), plain(usd)) for start, usd in ordered]
        raise PriceError(f"the list's price of {name!r} is ambiguous: {shown}; correct [price_list] in cloud.toml")
    if len(ordered) == 1 or ordered[0][1] != 0:
        return ListedPrice(tuple(ordered))
    free = ordered[1][0]
    return ListedPrice(tuple((start - free, usd) for start, usd in ordered[1:]), free)


def words(text: object) -> str:
    """Text without the differences in case and spacing that lists are full of."""
    return " ".join(str(text).split()).casefold()


def plain(number: Decimal) -> str:
    """A number in full, without exponent or trailing zeros."""
    return format(number.normalize() + 0, "f") if number else "0"
