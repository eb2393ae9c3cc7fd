"""The summary as a table for a terminal, readable at 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table
from rich.text import Text

from loadtests.analysis.against import NOTE, threshold_of
from loadtests.analysis.change import headline
from loadtests.analysis.checks import failed
from loadtests.analysis.target_summary import TABLE_QUANTILES
from loadtests.stats.formatting import format_interval, format_value

if TYPE_CHECKING:
    from rich.console import Console

    from loadtests.analysis.change import Change
    from loadtests.analysis.checks import Check, CheckState
    from loadtests.analysis.summary import Summary
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.expected.estimate import ExpectedTarget
    from loadtests.stats.estimate import Estimate

_STYLES: dict[CheckState, str] = {"passed": "green", "failed": "bold red", "unknown": "yellow"}


def print_summary(console: Console, summary: Summary) -> None:
    """Print what a run says: caveats first, the table, the verdicts, and the checks that failed."""
    for caveat in summary.caveats:
        console.print(caveat, style="yellow", markup=False, highlight=False)
    console.print(table(summary))
    for verdict in summary.verdicts:
        console.print(f"- {verdict}", markup=False, highlight=False)
    if summary.changes is not None:
        console.print(f"\nAgainst {summary.run.get(NOTE)}:", markup=False, highlight=False)
        console.print(changes_grid(summary.changes))
        console.print(headline(summary.changes, threshold_of(summary.run)), markup=False, highlight=False)
    if summary.expected is not None:
        print_expected(console, summary.expected)
    wrong = failed(summary.checks)
    console.print(check_table(wrong) if wrong else Text("every check of this run passed or had nothing to judge by"))


def print_expected(console: Console, found: Sequence[ExpectedTarget]) -> None:
    """Print the estimates for the real clouds, apart from what was measured, with what they rest on."""
    from loadtests.report.sections.expected import TITLE, basis_sentences, expected_table, scale_sentence

    rows = expected_table(found)
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    for place, heading in enumerate(rows.headings):
        drawn.add_column(heading.replace(" ", "\n"), justify="right" if place else "left", overflow="fold")
    for row in rows.rows:
        drawn.add_row(*(cell.text for cell in row))
    console.print(f"\n{TITLE}: estimates in ms, not measurements", style="bold", markup=False)
    console.print(drawn)
    for sentence in (*basis_sentences(found), *scale_sentence(found)):
        console.print(f"- {sentence}", markup=False, highlight=False)
    console.print()


def table(summary: Summary) -> Table:
    """One row per target; under each value its 95 % interval, or n where there are too few samples."""
    strata = sorted({part.cold.stratum for part in summary.targets if part.cold.n})
    drawn = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    drawn.add_column("target", overflow="fold")
    drawn.add_column(
        "\n".join(["cold p50", *(f"{stratum}, ms" for stratum in strata)]), justify="right", overflow="fold"
    )
    for heading in ("warm p50\nms", "warm p95\nms", "warm p99\nms", "errors\nof", "USD per\nmillion"):
        drawn.add_column(heading, justify="right", overflow="fold")
    for part in summary.targets:
        drawn.add_row(*_cells(part))
    return drawn


def changes_grid(changes: Sequence[Change]) -> Table:
    """One row per change, regressions in red."""
    drawn = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for each in changes:
        drawn.add_row(each.target, each.what, Text(each.sentence, "bold red" if each.regression else ""))
    return drawn


def check_table(checks: Sequence[Check]) -> Table:
    """One row per check: its state and name, what was found, what to do."""
    drawn = Table(box=None, show_header=False, padding=(0, 1, 0, 0), pad_edge=False)
    for _ in range(3):
        drawn.add_column(overflow="fold")
    for each in checks:
        remedy = Text(f"\n-> {each.remedy}", "bold") if each.remedy else Text()
        drawn.add_row(Text(each.state, _STYLES[each.state]), each.name, Text.assemble(each.finding, remedy))
    return drawn


def _cells(part: TargetSummary) -> list[Text]:
    target = part.target
    latencies = [part.cold.headline.estimates["p50_ms"], *(part.typical.estimates[name] for name in TABLE_QUANTILES)]
    failures = part.errors + part.dropped
    errors = _two_lines(f"{failures:,}", f"{part.requests:,}", style="bold red" if failures else "")
    return [
        _two_lines(target.name, f"{target.plan}\n{target.memory_mb} MB", style="bold"),
        *map(_estimate, latencies),
        errors,
        _cost(part),
    ]


def _cost(part: TargetSummary) -> Text:
    """The cost, and below it the one under another reading of the plan's rules."""
    found = _estimate(part.usd_per_million)
    if part.reading is None:
        return found
    return Text.assemble(found, f"\nor {format_value(part.reading.usd_per_million)}")


def _estimate(estimate: Estimate) -> Text:
    return _two_lines(format_value(estimate), format_interval(estimate))


def _two_lines(first: str, second: str, *, style: str = "") -> Text:
    return Text.assemble((first, style), "\n", (second, "dim"))
