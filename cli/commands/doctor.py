"""`tripoint doctor`: what works on this machine, what does not, and what to do about each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.diagnosis.finding import Diagnosis

_EPILOG = """
Exit codes: 0 `tripoint compare` can run here; 1 something that it needs is missing.

Example: tripoint doctor --start
"""
_STYLES = {"ok": "green", "note": "yellow", "missing": "bold red"}


@click.command(epilog=_EPILOG)
@click.option("--start", is_flag=True, help="Also start each local cloud and let it classify; about 10 s.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(start: bool, as_json: bool) -> None:
    """Look at the installation, the runtimes, the local clouds, the machine, the accounts and the programs.

    Nothing is changed and no cloud is called, save that the vendors' own chains look for credentials (never shown).
    """
    found = list(findings(start=start))
    if as_json:
        click.echo(json.dumps([each.document() for each in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
    if any(each.state == "missing" for each in found):
        sys.exit(1)


def findings(*, start: bool) -> Iterator[Diagnosis]:
    """Yield every finding, part by part."""
    from cli.diagnosis import accounts, clouds, installation, machine, programs, runtimes

    yield from installation.look()
    yield from runtimes.look()
    yield from clouds.look()
    if start:
        yield from clouds.start()
    yield from machine.look()
    yield from accounts.look()
    yield from programs.look()


def _print(found: Sequence[Diagnosis]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for ratio in (None, None, 1):
        drawn.add_column(overflow="fold", ratio=ratio)
    part = ""
    for each in found:
        if each.part != part:
            part = each.part
            drawn.add_row(Text(part, "bold"))
        advice = Text(f"\n-> {each.remedy}") if each.remedy else Text()
        drawn.add_row(Text(f"  {each.state}", _STYLES[each.state]), each.name, Text.assemble(each.found, advice))
    console = Console(highlight=False)
    console.print(drawn)
    missing = [each.name for each in found if each.state == "missing"]
    console.print(
        f"missing for tripoint compare: {', '.join(missing)}" if missing else "tripoint compare can run here."
    )
