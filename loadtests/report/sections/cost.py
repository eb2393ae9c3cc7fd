"""The section on cost: what a million requests are made of, and a month at every volume. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from loadtests.cost.measured import DEFAULT_VOLUME
from loadtests.cost.plan import LINES
from loadtests.cost.table import money
from loadtests.report.blocks import Cell, Controls, Figure, Points, Prose, Section, Table, estimate_cell
from loadtests.report.sections.cost_charts import bars, curves, stacks
from loadtests.report.sections.downsampling import short
from loadtests.report.sections.volume import MonthlyCosts, months, reading_name, step_of, steps, volume_text
from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from loadtests.cost.break_even import BreakEven
    from loadtests.report.blocks import Block
    from loadtests.report.sections.chart import Row
    from loadtests.report.sections.context import ReportContext

CHANGES_MAX = 12  # in the list; each is in the chart too where the cheapest changes
_ABOUT = "On billed time under each plan's own rounding, minimum and concurrency rules; prices of the book of {date}."
_VOLUME = (
    "What a month costs at your volume. Move the slider, count the free grants or not. Every step is a whole bill "
    "with its tiers and grants, worked out before; less than a cent a month is not drawn."
)


def cost(context: ReportContext) -> Section:
    """The section; targets without a price are told."""
    found = months(context)
    said = filter(None, (part.platform_sentence for part in context.summary.targets))
    blocks: list[Block] = [Prose([_ABOUT.format(date=context.book.date), *said])]
    if found.bills:
        blocks += [_by_line(context, found), *_by_volume(found)]
    if found.unknown:
        blocks.append(Points([f"{name} has no cost: {reason}." for name, reason in found.unknown.items()]))
    return Section("cost", "Cost", blocks)


def _by_line(context: ReportContext, found: MonthlyCosts) -> Figure:
    rows = [
        {"target": look.label, "k": look.key, "line": line, "at": place, "usd": float(usd)}
        for look in found.styles
        for place, line in enumerate(LINES)
        if (usd := _per_million(found, look.name, line))
    ]
    text = f"USD per million requests by line of the bill, without free grants. {_sums(context)}"
    return Figure(
        "cost-lines", "A million requests, by line of the bill", stacks(found.styles, rows, text), text,
        table=_lines_table(context, found),
        notes=[f"Without free grants, at {volume_text(DEFAULT_VOLUME)} requests a month."],
    )  # fmt: skip


def _per_million(found: MonthlyCosts, name: str, line: str) -> Decimal:
    bill = found.bills[name](DEFAULT_VOLUME, False)
    return sum((each.usd for each in bill.lines if each.name == line), Decimal(0)) / bill.requests * 1_000_000


def _sums(context: ReportContext) -> str:
    costs = [(part.target.name, part.usd_per_million.value) for part in context.summary.targets]
    return f"{'; '.join(f'{name} {format_number(value)}' for name, value in costs if value is not None)}."


def _lines_table(context: ReportContext, found: MonthlyCosts) -> Table:
    rows = []
    for look, part, _ in context.each():
        free = part.cost.usd_per_million_free if part.cost else part.usd_per_million
        if look.name in found.bills:
            lines = [Cell(money(_per_million(found, look.name, line)), number=True) for line in LINES]
            figures = [estimate_cell(part.usd_per_million), estimate_cell(free)]
            rows.append([Cell(look.name, key=look.key), *figures, *lines])
        if part.cost is not None and part.cost.reading is not None:
            name = reading_name(look.name, part.cost.reading.plan)
            usd = found.bills[name](DEFAULT_VOLUME, True).usd_per_million
            lines = [Cell(money(_per_million(found, name, line)), number=True) for line in LINES]
            figures = [estimate_cell(part.cost.reading.usd_per_million), Cell(money(usd), number=True)]
            rows.append([Cell(name, key=look.key), *figures, *lines])
    caption = "USD per million requests with 95 % intervals"
    return Table(caption, ["target", "without free grant", "with it", *LINES], rows, folded=True)


def _by_volume(found: MonthlyCosts) -> Iterator[Block]:
    yield Prose([_VOLUME], of_charts=True)
    yield Controls([volume_text(each) for each in steps()], step_of(DEFAULT_VOLUME))
    rows = list(_curve_rows(found))
    text = f"USD a month against requests a month, one line for each target. {_leading(found, free=True)}"
    spec = curves(found.styles, rows, list(_marks(found)), text)
    yield Figure(
        "cost-volume", "A month against its volume", spec, text,
        table=_volume_table(found),
        notes=["The upright line is the slider. A diamond is where two targets change places: the break-even point."],
    )  # fmt: skip
    told = "USD a month of each target at the slider's volume; the table of the chart above has round volumes."
    yield Figure("cost-at-volume", "A month at your volume", bars(found.styles, rows, told), told)
    yield Points([_leading(found, free=free) for free in (True, False)])
    yield _changes_table(found)


def _curve_rows(found: MonthlyCosts) -> Iterator[Row]:
    for look in found.styles:
        for free in (True, False):
            for step, volume in enumerate(steps()):
                usd = found.bills[look.name](volume, free).usd
                place = {"target": look.label, "k": look.key, "step": step, "requests": short(float(volume))}
                yield place | {"free": _word(free), "usd": short(float(usd))}


def _word(free: bool) -> str:
    """The value of the page's checkbox."""
    return "yes" if free else "no"


def _marks(found: MonthlyCosts) -> Iterator[Row]:
    """Where two targets change places; of many targets, where the cheapest changes."""
    looks = {each.name: each for each in found.styles}
    for free in (True, False):
        costs = found.costs(free=free)
        changes = found.changes(free=free)
        if len(changes) > CHANGES_MAX:
            changes = tuple(each for each in found.leaders(free=free) if each.dearer)
        for each in changes:
            usd = float(costs[each.cheaper](each.requests))
            row = {"requests": short(float(each.requests)), "usd": short(usd), "free": _word(free)}
            ahead = looks[each.cheaper]
            yield row | {"k": ahead.key, "target": ahead.label, "instead of": looks[each.dearer].label}


def _leading(found: MonthlyCosts, *, free: bool) -> str:
    """Which target is the cheapest, by volume, in words."""
    first, *later = found.leaders(free=free)
    words = "with the free grants" if free else "without them"
    turns = "".join(f", {each.cheaper} from {volume_text(each.requests)}" for each in later)
    return f"Cheapest by requests a month, {words}: {first.cheaper}{turns}."


def _volume_table(found: MonthlyCosts) -> Table:
    """Round volumes, with and without the grant."""
    decades = [volume for step, volume in enumerate(steps()) if step % 16 == 0]
    rows = [
        [
            Cell(look.name, "with free grant" if free else "without", key=look.key),
            *(Cell(money(found.bills[look.name](volume, free).usd), number=True) for volume in decades),
        ]
        for look in found.styles
        for free in (True, False)
    ]
    return Table("USD a month by requests a month", ["target", *map(volume_text, decades)], rows, folded=True)


def _changes_table(found: MonthlyCosts) -> Table:
    changes = [(free, each) for free in (True, False) for each in found.changes(free=free)]
    rows = [_change_row(each, free=free) for free, each in changes]
    return Table(
        "Break-even points: from this volume on, one target costs less than another did",
        ["requests a month", "cheaper from here", "dearer", "free grants"],
        rows,
        folded=True,
    )


def _change_row(change: BreakEven, *, free: bool) -> list[Cell]:
    counted = "counted" if free else "not counted"
    return [Cell(volume_text(change.requests)), Cell(change.cheaper), Cell(change.dearer), Cell(counted)]
