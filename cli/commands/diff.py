"""`tripoint diff`: did the second run become slower or less reliable than the first? For people and for CI."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from loadtests.analysis.diff import RunChange

_EPILOG = """
Exit codes: 0 no significant regression beyond the threshold; 1 a regression; 2 the runs cannot be compared.

Example: tripoint diff runs/before runs/after --threshold 5
"""


@click.command(epilog=_EPILOG)
@click.argument("first", type=click.Path(path_type=Path))
@click.argument("second", type=click.Path(path_type=Path))
@click.option("--threshold", default=10.0, show_default=True, type=click.FloatRange(min=0), help="Percent.")
@click.option("--json", "as_json", is_flag=True, help="Print the changes as JSON.")
def command(first: Path, second: Path, threshold: float, as_json: bool) -> None:
    """Compare two runs (folders) of the same targets, FIRST before and SECOND after a change."""
    from loadtests.analysis.diff import NotComparableRuns, diff, doubts, headline
    from loadtests.record.run_data import read_run
    from loadtests.record.store import StoreError

    try:
        runs = [(first, read_run(first)), (second, read_run(second))]
        changes = diff(runs[0][1], runs[1][1], threshold=threshold / 100)
    except (StoreError, NotComparableRuns) as error:
        raise CommandRefused(str(error)) from error
    if as_json:
        click.echo(json.dumps([each.document() for each in changes], indent=2, ensure_ascii=False))
    else:
        _print(changes)
        for run, record in runs:
            for doubt in doubts(record):
                click.echo(f"a difference may be the machine's: {run}: {doubt}")
        click.echo(headline(changes, threshold / 100))
    if any(each.regression for each in changes):
        sys.exit(1)


def _print(changes: Sequence[RunChange]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    for each in changes:
        drawn.add_row(each.target, each.what, Text(each.sentence, "bold red" if each.regression else ""))
    Console().print(drawn)
