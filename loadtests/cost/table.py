"""Show the answer to a question as a table for a terminal, and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.cost.break_even import cheapest_by_volume, order_changes
from loadtests.cost.comparison import impossible_sentences, quota_sentences
from loadtests.cost.document import cost_functions

if TYPE_CHECKING:
    from loadtests.cost.bill import Bill
    from loadtests.cost.break_even import BreakEven
    from loadtests.cost.comparison import CostComparison, PlanOffer
    from loadtests.cost.currency import Currency
    from loadtests.cost.plan import LineName

_NAME_MIN = 18  # characters: the longest part of a plan's name
_NEAREST = 5  # changes of order shown; all of them are in --json
_REST: tuple[LineName, ...] = ("logs", "image storage")
_LINES: tuple[LineName, ...] = ("compute", "requests", "reserved", "gateway", "egress")
_HEADINGS = (
    "with\ngrant", "no\ngrant", "per\nmillion", "com-\npute", "re-\nquests", "held", "gate-\nway", "egress", "rest",
)  # fmt: skip
_GB_S = ("GB-s", "GiB-s")


def offers_table(comparison: CostComparison, currency: Currency) -> Table:
    """One row for each plan, cheapest first; all but the first figure are without the free grant.

    What cannot serve the question comes last, without a price.
    """
    title = f"{currency.code} a month"
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, title=title, title_justify="left")
    drawn.add_column("plan", overflow="fold", min_width=_NAME_MIN)
    for heading in _HEADINGS:
        drawn.add_column(heading, justify="right", overflow="fold")
    for offer in comparison.offers:
        drawn.add_row(_name(offer), *_figures(offer, currency))
    for way, _ in comparison.impossible:
        drawn.add_row(_folded(way.name), Text("none", "dim"))
    return drawn


def _name(offer: PlanOffer) -> Text:
    """The plan's name, and below it what it bills of memory times time."""
    lines = (line for line in offer.without_grant.lines if line.name == "compute" and line.unit in _GB_S)
    gb_s = sum((line.quantity for line in lines), Decimal(0))
    name = _folded(offer.candidate.name)
    return Text.assemble(name, (f"\n{_volume(gb_s)} GB-s", "dim")) if gb_s else Text(name)


def _folded(name: str) -> str:
    return name if len(name) <= _NAME_MIN else name.replace("/", "/\n", 1).replace(" ", "\n")


def _figures(offer: PlanOffer, currency: Currency) -> Iterator[str]:
    paid = offer.without_grant
    rest = sum((paid.line_usd(name) for name in _REST), Decimal(0))
    for usd in (offer.with_grant.usd, paid.usd, paid.usd_per_million):
        yield money(currency.of_usd(usd))
    for usd in (*(paid.line_usd(name) for name in _LINES), rest):
        yield money(currency.of_usd(usd))


def sentences(comparison: CostComparison) -> Iterator[str]:
    """What the figures are, where the order changes, what cannot serve the question, and what was assumed."""
    yield "All but the first figure are without the free grant. Rest: logs, image storage."
    yield _prices(comparison)
    for free, words in ((True, "with the free grants"), (False, "without the free grants")):
        yield from _order(comparison, free=free, words=words)
    yield from impossible_sentences(comparison)
    yield from quota_sentences(comparison)
    yield "\nAssumed:"
    yield from (f"- {note}" for note in comparison.question.assumptions())
    yield from (f"- {note}" for note in _plan_notes(comparison.offers))


def _prices(comparison: CostComparison) -> str:
    bills = [offer.without_grant for offer in comparison.offers]
    places = dict.fromkeys(f"{bill.cloud} {bill.region}{_stand_in(bill)} of {bill.prices_of}" for bill in bills)
    return f"Prices: {', '.join(places)}."


def _stand_in(bill: Bill) -> str:
    """Whose prices they are, where no line has a price of the bill's own region."""
    used = [line for line in bill.lines if line.quantity]
    others = {line.region for line in used}
    return f" (at the prices of {', '.join(sorted(others))})" if used and bill.region not in others else ""


def _order(comparison: CostComparison, *, free: bool, words: str) -> Iterator[str]:
    costs = cost_functions(comparison, free=free)
    yield f"\nCheapest by requests a month, {words}: {'; '.join(map(_from, cheapest_by_volume(costs)))}."
    near = _near(comparison, order_changes(costs))
    if near:
        yield f"Nearest changes of order, {words}:"
        yield from (f"- from {_volume(each.requests)}, {each.cheaper} is below {each.dearer}" for each in near)


def money(usd: Decimal) -> str:
    """Two decimals; four below ten cents, none from a thousand on, three digits from a hundred thousand on."""
    if usd >= 100_000:
        return _volume(usd)
    if usd >= 1000:
        return f"{usd:,.0f}"
    return f"{usd:,.2f}" if usd >= Decimal("0.1") or not usd else f"{usd:.4f}"


def _near(comparison: CostComparison, changes: tuple[BreakEven, ...]) -> list[BreakEven]:
    """The changes of order that lie nearest to the volume asked about, by ratio, lowest first."""
    asked = comparison.question.requests
    if not asked:
        return []
    nearest = sorted(changes, key=lambda change: max(change.requests / asked, asked / change.requests))
    return sorted(nearest[:_NEAREST], key=lambda change: change.requests)


def _from(change: BreakEven) -> str:
    return f"{change.cheaper} from {_volume(change.requests)}" if change.dearer else change.cheaper


def _volume(requests: Decimal) -> str:
    for size, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        if requests >= size:
            return f"{requests / size:.3g}{letter}"
    return f"{requests:.3g}"


def _plan_notes(offers: tuple[PlanOffer, ...]) -> Iterator[str]:
    """Each assumption once, after the plans that it belongs to."""
    notes: dict[str, list[str]] = {}
    for offer in offers:
        for note in offer.without_grant.assumptions:
            notes.setdefault(note, []).append(offer.candidate.name)
    for note, names in notes.items():
        yield f"{', '.join(names)}: {note}"
