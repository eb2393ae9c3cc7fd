"""`tripoint check`: what makes a run untrustworthy, and what to do about it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from cli.framework.refusal import CommandRefused

_EPILOG = "Exit codes: 0 nothing failed; 1 a check failed; 2 no such run. Example: tripoint check runs/mine"


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def command(run: Path, as_json: bool) -> None:
    """List what speaks for and against trusting RUN (a folder)."""
    from rich.console import Console

    from loadtests.analysis.checks import failed
    from loadtests.record.store import StoreError
    from loadtests.report import build
    from loadtests.report.terminal import check_table

    try:
        checks = build.summarise_run(run).checks
    except StoreError as error:
        raise CommandRefused(str(error)) from error
    if as_json:
        click.echo(json.dumps([each.document() for each in checks], indent=2, ensure_ascii=False))
    else:
        Console().print(check_table(checks))
    if failed(checks):
        sys.exit(1)
