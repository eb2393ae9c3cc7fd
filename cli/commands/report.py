"""`tripoint report`: a run's figures and reports, made again from its raw samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.report.build import Format

_EPILOG = "Example: tripoint report runs/2026-11-21T09-30-00 --format html --out report.html"


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--format", "kind", type=click.Choice(["html", "md", "json"]), help="Print it in this format; write nothing else."
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="With --format: write it to this file.")
@click.option(
    "--prices", metavar="DATE", help="A book that tripoint prices lists.  [default: the one kept with the run]"
)
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
def command(run: Path, *, kind: Format | None, out: Path | None, prices: str | None, as_json: bool) -> None:
    """Recompute summary.json, report.md and report.html of RUN (a folder) from its samples, offline.

    report.html is one file to pass around: it opens from disk and asks the network for nothing.
    The run keeps the prices that it was first costed with; --prices costs it with another book.
    """
    from loadtests.record.store import StoreError
    from loadtests.report import build

    if as_json and kind is not None:
        raise click.UsageError(f"--json and --format {kind} exclude each other: choose one")
    if out is not None and kind is None:
        raise click.UsageError(f"--out {str(out)!r} needs --format: html, md or json")
    try:
        summary = build.summarise_run(run, prices=prices)
        if kind is None:
            _write_all(run, summary, as_json=as_json)
        else:
            _print(build.render(run, summary, kind), out)
    except StoreError as error:
        raise CommandRefused(str(error)) from error


def _print(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=False)
        return
    if not out.parent.is_dir():
        raise click.UsageError(f"--out {str(out)!r}: there is no folder {str(out.parent)!r}: make it first")
    out.write_text(text, encoding="utf-8")
    click.echo(f"{out} is written.")


def _write_all(run: Path, summary: Summary, *, as_json: bool) -> None:
    """Write the reports into the run's folder, and print the table or the document."""
    from rich.console import Console

    from loadtests.report import build
    from loadtests.report.terminal import print_summary

    folder = build.folder_of(run)
    build.write_reports(folder, summary)
    if as_json:
        _print(build.render(run, summary, "json"), None)
        return
    console = Console()
    print_summary(console, summary)
    console.print(f"Written: {folder}/ (summary.json, report.md, report.html)", markup=False, highlight=False)
