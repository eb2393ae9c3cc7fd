"""`tripoint prices`: the price book with its sources and its age, and a new one from the vendors' lists."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, date, datetime

import click

_EPILOG = """Examples: tripoint prices --region eu; tripoint prices --refresh --region aws/eu-north-1.
A region that no book has yet is named with its cloud."""


@click.command(epilog=_EPILOG)
@click.option("--refresh", is_flag=True, help="Read the vendors' public price lists into a new book.")
@click.option("--region", "regions", multiple=True, help="us, eu, a region, or cloud/region. May be repeated.")
@click.option("--cloud", "clouds", multiple=True, help="Only this cloud. May be repeated.")
@click.option("--prices", "name", metavar="DATE", help="Use this book.  [default: the newest]")
@click.option("--json", "as_json", is_flag=True, help="Every price with its source, as one JSON document.")
def command(
    *, refresh: bool, regions: tuple[str, ...], clouds: tuple[str, ...], name: str | None, as_json: bool
) -> None:
    """Show the prices that costs are computed with: source, date, age, and how sure (H, M, L).

    --refresh writes a new dated book and shows what changed. Old books stay as they are.
    """
    today = datetime.now(UTC).date()
    if refresh:
        _refresh(name, regions, clouds, today)
    else:
        _show(name, regions, clouds, today, as_json=as_json)


def _show(name: str | None, regions: Sequence[str], clouds: Sequence[str], today: date, *, as_json: bool) -> None:
    from loadtests.prices import library
    from loadtests.prices.regions import places
    from loadtests.prices.table import OLD_DAYS, age_days, documents, heading, prices_table, sources

    book = library.open_book(name)
    chosen = places(book, clouds, regions)
    named = [
        (book.of(cloud), region) for cloud in chosen for region in chosen[cloud] or [book.of(cloud).default_region]
    ]
    if as_json:
        rows = [row for prices, region in named for row in documents(prices, region, today)]
        click.echo(json.dumps({"book": book.date, "books": library.names(), "prices": rows}, indent=2))
        return
    from rich.console import Console

    console = Console(highlight=False)
    for prices, region in named:
        console.print(heading(prices, region), markup=False)
        if prices.regions[region].rates:
            console.print(prices_table(prices, region, today))
    ages = [age_days(rate, today) for prices, region in named for rate in prices.regions[region].rates.values()]
    console.print(f"Book {book.date}; there are {', '.join(library.names())}.", markup=False)
    console.print("\n".join(["Sources:", *(f"- {source}" for source in sources(named))]), markup=False)
    if max(ages, default=0) > OLD_DAYS:
        console.print(f"Some prices are older than {OLD_DAYS} days: tripoint prices --refresh", style="yellow")


def _refresh(name: str | None, regions: Sequence[str], clouds: Sequence[str], today: date) -> None:
    from adapters import contract
    from loadtests.cost.plans import free_grants
    from loadtests.prices import library
    from loadtests.prices.download import download
    from loadtests.prices.refresh import PriceSource, refresh
    from loadtests.prices.regions import places
    from loadtests.prices.table import refreshed_sentences

    book = library.open_book(name)
    chosen = places(book, clouds, regions)
    wanted = {cloud: chosen[cloud] or tuple(book.of(cloud).regions) for cloud in chosen}
    variables = {cloud: contract.load(cloud).data.get("price_list", {}).get("key_variable", "") for cloud in wanted}
    keys = {cloud: os.environ.get(variable, "") for cloud, variable in variables.items() if variable}
    result = refresh(library.book_document(name), wanted, PriceSource(download, today.isoformat(), keys, free_grants))
    for sentence in refreshed_sentences(result):
        click.echo(sentence)
    if not result.read:
        raise ValueError("no price was read: " + "; ".join(result.failures or result.notes))
    click.echo(f"{library.write_book(result.document)} is written; it is the newest book now.")
    for failure in result.failures:
        click.echo(failure, err=True)
    if result.failures:
        raise SystemExit(1)
