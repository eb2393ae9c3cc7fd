"""The section on method: how the figures were made, what they rest on, and how to make them again. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loadtests.analysis.target_summary import LATE_MS
from loadtests.cost.plans import load_plan
from loadtests.report.blocks import Cell, Code, Points, Prose, Section, Table
from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from loadtests.cost.bill import BillLine
    from loadtests.report.blocks import Block
    from loadtests.report.sections.context import ReportContext

_METHOD = (
    "Latency counts from the intended send time of the schedule to the last byte of the answer.",
    f"Late means sent more than {format_number(LATE_MS)} ms after the intended time; such requests are kept.",
    "Intervals are distribution-free (order statistics, 95 %); a request that was never answered takes a highest "
    "rank. No outlier is removed; warm-up is stored, counted, and kept out of the warm figures.",
    "Cold, pre-initialised and warm come from the instance's own evidence, never from the latency.",
    "Comparisons: Mann-Whitney within blocks of time, each image's own cost taken out; Hodges-Lehmann shift; p "
    "corrected for all pairs of a kind (Holm), the interval not.",
    "Errors are failed, timed-out and dropped requests; cost is on billed time, without the free grant unless it "
    "says so.",
)
_FACTS = {
    "started_at": "started",
    "scenario": "scenario",
    "seed": "seed",
    "loop": "loop",
    "rate_per_target": "requests a second to each target",
    "model": "model",
    "images": "images",
    "machine": "client's machine",
    "cpu_share": "CPU share",
    "tripoint": "Tripoint",
    "git_commit": "commit",
    "python": "Python",
    "locust": "Locust",
    "price_book": "price book",
}
_AGAIN = (
    "Every raw sample is in samples.sqlite beside this file; tripoint report makes this page and "
    "summary.json again from that folder, offline."
)
_SURE = {"H": "dated price list, or the vendor's text", "M": "one source, or undated", "L": "inferred or recalled"}


def method(context: ReportContext) -> Section:
    """Method, assumptions behind each target's cost, and prices with dates and sources."""
    blocks: list[Block] = [Points(_METHOD), *_assumptions(context), _prices(context)]
    notes = [f"How sure: {', '.join(f'{letter} {words}' for letter, words in _SURE.items())}."]
    return Section("method", "Method, assumptions, prices", [*blocks, Prose(notes, quiet=True)])


def repeat(context: ReportContext) -> Section:
    """The command, the seed, the versions, and the whole header."""
    header = context.summary.run
    facts = [[Cell(words), Cell(_plain(header[name]))] for name, words in _FACTS.items() if header.get(name)]
    command = str(header.get("command") or "tripoint compare")
    blocks: list[Block] = [
        Code(command, "The command"),
        Prose([_AGAIN]),
        Table("What was run, on what", ["fact", "value"], facts),
        Code(json.dumps(dict(header), indent=2, sort_keys=True, default=str), "The whole header", folded=True),
    ]
    return Section("repeat", "How to repeat it", blocks)


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items())
    return str(value)


def _assumptions(context: ReportContext) -> Iterator[Block]:
    """Each assumption once, with the targets that it belongs to."""
    notes: dict[str, list[str]] = {}
    for part in context.summary.targets:
        for note in part.cost.assumptions if part.cost else ():
            notes.setdefault(note, []).append(part.target.name)
    if notes:
        every = len(context.summary.targets)
        named = {note: "all targets" if len(names) == every else ", ".join(names) for note, names in notes.items()}
        rows = [[Cell(names), Cell(note)] for note, names in named.items()]
        yield Table("What the costs rest on besides the samples", ["target", "assumption"], rows)


def _prices(context: ReportContext) -> Table:
    """Each price that a bill of this run used, once."""
    rows: dict[tuple[str, ...], list[Cell]] = {}
    for bill in (part.cost.bill for part in context.summary.targets if part.cost and part.cost.bill):
        free = {meter.name: meter.free for meter in load_plan(bill.cloud, bill.plan).meters}
        place = f"{bill.plan}, {bill.region}, {bill.architecture}, prices of {bill.prices_of}"
        for line in bill.lines:
            if line.quantity:
                rows[bill.cloud, place, line.meter] = [Cell(bill.cloud, place), *_price(line, free[line.meter])]
    headings = ["cloud", "meter", "USD for each unit", "free each month", "source", "how sure"]
    return Table(f"Prices used, from the book of {context.book.date}", headings, list(rows.values()))


def _price(line: BillLine, free: Decimal) -> list[Cell]:
    each = line.usd / line.quantity
    return [
        Cell(line.meter, f"line: {line.name}"),
        Cell(
            f"{each:.4g}" if each >= Decimal("0.001") else f"{each:.10f}".rstrip("0").rstrip("."),
            line.unit,
            number=True,
        ),
        Cell(f"{free:,f}", number=True),
        Cell(line.source),
        Cell(line.confidence),
    ]
