"""`tripoint export`: the raw samples of a run for other tools."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cli.framework.refusal import CommandRefused

_EPILOG = "Example: tripoint export runs/mine --format csv --out -"


@click.command(epilog=_EPILOG)
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(["csv", "parquet", "json"]), default="csv", show_default=True)
@click.option(
    "--out", help="The file to write, - for standard output.  [default: samples.FORMAT in the run's folder]"
)
def command(run: Path, kind: str, out: str | None) -> None:
    """Write every raw sample of RUN (a folder), one row each, as docs/results-format.md describes them."""
    from loadtests.record import export
    from loadtests.record.run_data import read_run
    from loadtests.record.store import StoreError

    try:
        record = read_run(run)
    except StoreError as error:
        raise CommandRefused(str(error)) from error
    samples = [*record.samples, *(record.empty.samples if record.empty is not None else ())]
    path = Path(out) if out else (run if run.is_dir() else run.parent) / f"samples.{kind}"
    if kind == "parquet":
        if out == "-":
            raise click.UsageError("--format parquet is a binary file: give --out a file name instead of -")
        export.write_parquet(samples, path)
    elif out == "-":
        export.write_text(samples, sys.stdout, "csv" if kind == "csv" else "json")
        return
    else:
        with path.open("w", encoding="utf-8", newline="") as stream:
            export.write_text(samples, stream, "csv" if kind == "csv" else "json")
    click.echo(f"{path}: {len(samples):,} samples")
