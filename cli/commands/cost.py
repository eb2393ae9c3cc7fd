"""`tripoint cost`: what requests would cost on every plan, without a run."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from loadtests.cost.comparison import CostComparison, PlanChoice
    from loadtests.cost.currency import Currency
    from loadtests.cost.question import CostQuestion

_EPILOG = "Example: tripoint cost --duration-ms 60 --requests 10M/month --cold-share 2% --init-ms 900"

_NUMBERS = (
    ("--memory-mb", "1024", "Configured memory."),
    ("--init-ms", "0", "Initialisation of a cold start."),
    ("--payload-kb", "0", "Image sent with a request."),
    ("--response-kb", "1", "Response of a request, billed as egress."),
    ("--log-kb", "0", "Log written by a request."),
    ("--image-gb", "0", "Container image kept all month."),
    ("--ephemeral-mb", "512", "Disk of an instance, where it is sold."),
    ("--streamed-mb", "0", "Length of a streamed answer."),
    ("--held-hours", "24", "Hours of a day for which instances are held."),
    ("--month-hours", "730", "Length of the month."),
    ("--versions", "1", "Published versions kept as snapshots."),
)
_OPTIONAL = ("observed_mb", "vcpu", "snapshot_hours")
_CHOICES = (
    ("--cloud", "clouds", "Only this cloud."),
    ("--plan", "plans", "Only this plan."),
    ("--region", "regions", "us, eu, or the region of a cloud."),
    ("--arch", "architectures", "Only this architecture: x86_64 or arm64."),
)


def _numbers(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options for numbers, as text: they are read as exact decimals later."""
    for flag, default, words in reversed(_NUMBERS):
        function = click.option(flag, default=default, show_default=True, help=words)(function)
    return function


def _choices(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose the plans."""
    for flag, name, words in reversed(_CHOICES):
        function = click.option(flag, name, multiple=True, help=f"{words} May be repeated.")(function)
    return function


@click.command(epilog=_EPILOG)
@click.option("--duration-ms", required=True, help="Time of one request in the function.")
@click.option("--requests", default="10M/month", show_default=True, help="Such as 300k/day or 5/s.")
@click.option("--cold-share", default="0%", show_default=True, help="Share of requests that start cold.")
@_numbers
@click.option("--observed-mb", help="Memory in use, for plans that bill it.  [default: all of it]")
@click.option("--vcpu", help="vCPU of an instance, where a plan sells it apart.  [default: the size's]")
@click.option("--snapshot-hours", help="How long each version is kept as a snapshot.  [default: all month]")
@click.option("--held", help="Instances held all month, by plans that can.  [default: as the load needs]")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Requests that an instance serves at once.",
)
@click.option("--gateway", help="Gateway of clouds that have it: http-api, rest-api.  [default: a free one]")
@_choices
@click.option(
    "--also",
    "kinds",
    type=click.Choice(["commitment", "container"]),
    multiple=True,
    help="Other plans too: those with a commitment, or always-on containers and machines. May be repeated.",
)
@click.option("--free/--no-free", default=True, show_default=True, help="Sort with or without the free grants.")
@click.option("--prices", metavar="DATE", help="A book that tripoint prices lists.  [default: the newest]")
@click.option("--currency", metavar="CODE=RATE", help="Such as EUR=0.92: what a dollar is worth.  [default: USD]")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["table", "json", "csv", "focus"]),
    default="table",
    show_default=True,
    help="csv: a row for each part of each line; focus: the FinOps FOCUS 1.2 columns, for the next month.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    free: bool, prices: str | None, currency: str | None, kind: str, as_json: bool, **options: object
) -> None:
    """Every plan of every cloud side by side, cheapest first, and the volumes at which the order changes."""
    from loadtests.cost.comparison import candidates, compare, impossible_sentences
    from loadtests.cost.currency import Currency
    from loadtests.cost.document import document
    from loadtests.prices.library import open_book

    ways = candidates(_choice(options), open_book(prices))
    comparison = compare(_question(options), ways, free=free)
    if not comparison.offers:
        raise ValueError("no plan can serve this: " + "; ".join(impossible_sentences(comparison)))
    _warn_of_old_prices(comparison)
    money = Currency() if currency is None else Currency.read(currency)
    if as_json or kind == "json":
        click.echo(json.dumps(document(comparison, free=free), indent=2, ensure_ascii=False))
    elif kind == "table":
        _print_table(comparison, money)
    else:
        _write_statement(comparison, kind, free=free, currency=money)


def _print_table(comparison: CostComparison, currency: Currency) -> None:
    from rich.console import Console

    from loadtests.cost.table import offers_table, sentences

    console = Console(highlight=False)
    console.print(offers_table(comparison, currency))
    for sentence in sentences(comparison):
        console.print(sentence, markup=False)


def _write_statement(comparison: CostComparison, kind: str, *, free: bool, currency: Currency) -> None:
    """Write the bills on standard output, for a spreadsheet or for FinOps tools."""
    from loadtests.cost.statement import write_csv, write_focus

    if kind == "csv":
        write_csv(comparison, sys.stdout, free=free, currency=currency)
    else:
        write_focus(comparison, sys.stdout, free=free, currency=currency, today=datetime.now(UTC).date())


def _warn_of_old_prices(comparison: CostComparison) -> None:
    """Say on standard error when a price was read long ago."""
    from loadtests.prices.table import OLD_DAYS, age_days

    today = datetime.now(UTC).date()
    used = [offer.candidate for offer in comparison.offers]
    ages = [age_days(rate, today) for way in used for rate in way.prices.regions[way.region].rates.values()]
    if max(ages, default=0) > OLD_DAYS:
        click.echo(f"some prices were read {max(ages)} days ago: tripoint prices --refresh reads new ones", err=True)


def _choice(options: dict[str, object]) -> PlanChoice:
    from loadtests.cost.comparison import PlanChoice

    kinds = ("serverless", *options["kinds"])  # type: ignore[misc]
    return PlanChoice(**{name: options[name] for _, name, _ in _CHOICES}, kinds=kinds)  # type: ignore[arg-type]


def _question(options: dict[str, object]) -> CostQuestion:
    from loadtests.cost.question import CostQuestion, exact_number, held_instances, monthly_volume, share

    names = ["duration_ms", *(flag.removeprefix("--").replace("-", "_") for flag, _, _ in _NUMBERS)]
    names += [name for name in _OPTIONAL if options[name] is not None]
    numbers = {name: exact_number(f"--{name.replace('_', '-')}", str(options[name])) for name in names}
    if not numbers["month_hours"]:
        raise ValueError("--month-hours is 0: expected more, such as 730")
    if numbers["held_hours"] > 24:
        raise ValueError(f"--held-hours is {numbers['held_hours']}: a day has 24")
    return CostQuestion(
        requests=monthly_volume(str(options["requests"]), numbers["month_hours"]),
        cold_share=share(str(options["cold_share"])),
        concurrency=int(str(options["concurrency"])),
        gateway=None if options["gateway"] is None else str(options["gateway"]),
        held=None if options["held"] is None else held_instances(str(options["held"])),
        **numbers,
    )
