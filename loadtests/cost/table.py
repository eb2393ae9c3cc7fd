"""Show the answer to a question as a table for a terminal, and in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from loadtests.cost.break_even import cheapest_by_volume, order_changes
from loadtests.cost.comparison import impossible_sentences, quota_sentences
from loadtests.cost.document import cost_functions

if TYPE_CHECKING:
    from loadtests.cost.bill import Bill
    from loadtests.cost.break_even import BreakEven
    from loadtests.cost.comparison import CostComparison, PlanOffer
    from loadtests.cost.plan import LineName

_NEAREST = 5  # changes of order shown; all of them are in --json
_PATH: tuple[LineName, ...] = ("gateway", "egress", "logs", "image storage")
_HEADINGS = ("with\ngrant", "without\ngrant", "per\nmillion", "compute", "requests", "held", "path")


def offers_table(comparison: CostComparison) -> Table:
    """One row for each plan, cheapest first; all but the first figure are without the free grant."""
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, title="USD a month", title_justify="left")
    drawn.add_column("plan", overflow="fold")
    for heading in _HEADINGS:
        drawn.add_column(heading, justify="right")
    for offer in comparison.offers:
        drawn.add_row(offer.candidate.name, *map(money, _figures(offer)))
    return drawn


def _figures(offer: PlanOffer) -> tuple[Decimal, ...]:
    paid = offer.without_grant
    path = sum((paid.line_usd(name) for name in _PATH), Decimal(0))
    lines = (paid.line_usd("compute"), paid.line_usd("requests"), paid.line_usd("reserved"), path)
    return (offer.with_grant.usd, paid.usd, paid.usd_per_million, *lines)


def sentences(comparison: CostComparison) -> Iterator[str]:
    """What the figures are, where the order changes, what cannot serve the question, and what was assumed."""
    yield "All but the first figure are without the free grant. Path: gateway, egress, logs, image storage."
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
    """Two decimals; four below ten cents, none from ten thousand on."""
    if usd >= 10_000:
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
