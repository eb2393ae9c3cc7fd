"""`tripoint report`: a run's summary and report, made again from its raw samples."""

from __future__ import annotations

import json
from pathlib import Path

import click

from cli._refusal import Refusal

_EPILOG = "Example: tripoint report runs/2026-11-21T09-30-00"


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--prices", metavar="DATE", help="A book that tripoint prices lists.  [default: the one kept with the run]"
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
def command(run: Path, prices: str | None, as_json: bool) -> None:
    """Recompute summary.json and report.md of RUN (a folder) from its samples, offline.

    The run keeps the prices that it was first costed with; --prices costs it with another book.
    """
    from rich.console import Console

    from loadtests import report
    from loadtests.store import StoreError
    from loadtests.terminal import show

    try:
        summary = report.summarise_run(run, prices=prices)
    except StoreError as error:
        raise Refusal(str(error)) from error
    folder = report.folder_of(run)
    report.write(folder, summary)
    if as_json:
        click.echo(json.dumps(summary.document(), indent=2, ensure_ascii=False))
        return
    console = Console()
    show(console, summary)
    console.print(
        f"{folder / report.REPORT_NAME} and {report.SUMMARY_NAME} beside it are written.",
        markup=False,
        highlight=False,
    )
