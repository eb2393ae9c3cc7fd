"""Show a price book as a table for a terminal, and in sentences what a refresh changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from loadtests.prices.listing import plain

if TYPE_CHECKING:
    from loadtests.prices.book import CloudPrices
    from loadtests.prices.rate import Rate
    from loadtests.prices.refresh import PriceChange, RefreshedBook

OLD_DAYS = 90


def heading(prices: CloudPrices, region: str) -> str:
    """What the table below it holds, and whose prices fill its gaps."""
    stand_in = prices.regions[region].stand_in
    borrowed = f"; what is missing here is {stand_in}'s" if stand_in else ""
    return f"{prices.cloud} {region}, prices of {prices.date}{borrowed}"


def prices_table(prices: CloudPrices, region: str, today: date) -> Table:
    """One row for each price of a region, with its age."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ("price", "USD", "unit"):
        drawn.add_column(heading, overflow="fold")
    drawn.add_column("read", no_wrap=True)
    drawn.add_column("age\ndays", justify="right")
    drawn.add_column("sure")
    for name, rate in sorted(prices.regions[region].rates.items()):
        drawn.add_row(name, steps(rate), rate.unit, rate.read, str(age_days(rate, today)), rate.confidence)
    return drawn


def documents(prices: CloudPrices, region: str, today: date) -> list[dict[str, Any]]:
    """The same as JSON documents, with every source."""
    return [
        {
            "cloud": prices.cloud,
            "region": region,
            "price": name,
            "unit": rate.unit,
            "tiers": [{"from": plain(tier.start), "usd": plain(tier.usd)} for tier in rate.tiers],
            "source": rate.source,
            "read": rate.read,
            "age_days": age_days(rate, today),
            "confidence": rate.confidence,
        }
        for name, rate in sorted(prices.regions[region].rates.items())
    ]


def sources(prices: Sequence[tuple[CloudPrices, str]]) -> list[str]:
    """Every source of these regions' prices, once."""
    return sorted({rate.source for book, region in prices for rate in book.regions[region].rates.values()})


def refreshed_sentences(result: RefreshedBook) -> Iterator[str]:
    """What was read, what changed, and what is to be known of it."""
    for line in result.read:
        yield f"read {line}"
    for change in result.changes:
        yield _changed(change)
    if result.read and not result.changes:
        yield "no price changed"
    yield from dict.fromkeys(result.notes)


def age_days(rate: Rate, today: date) -> int:
    """Whole days since the price was read."""
    return (today - date.fromisoformat(rate.read)).days


def steps(rate: Rate) -> str:
    """The price of one unit, and of those from each further tier on."""
    first, *others = rate.tiers
    return "; ".join([plain(first.usd), *(f"{plain(tier.usd)} from {tier.start:,f}" for tier in others)])


def _changed(change: PriceChange) -> str:
    before = "none" if change.before is None else steps(change.before)
    after = f"{steps(change.after)} USD, {change.after.unit}"
    return f"{change.cloud} {change.region} {change.price}: {before} -> {after}"
