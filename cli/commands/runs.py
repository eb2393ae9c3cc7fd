"""`tripoint runs`: list, show and delete the runs that are kept."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from cli.measurement.run_folders import StoredRun

_IN = click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    show_default=True,
    help="The folder that has the runs.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")


@click.group(epilog="Example: tripoint runs list")
def command() -> None:
    """List, show and delete the runs that are kept; each is a folder with every raw sample."""


@command.command("list", epilog="Example: tripoint runs list --in ~/measurements")
@_IN
@_JSON
def list_runs(folder: Path, as_json: bool) -> None:
    """List the runs, newest first: date, size, state, targets, and the first sentence of what each shows."""
    from cli.measurement.run_folders import find_runs

    found = find_runs(folder)
    if as_json:
        click.echo(json.dumps([each.document() for each in found], indent=2, ensure_ascii=False))
        return
    for each in found:
        click.echo(_line(each))
        click.echo(f"    {each.verdict or f'not summarised: tripoint report {each.folder}'}")
    if not found:
        click.echo(f"no run in {folder}: `tripoint compare` makes one")


@command.command("show", epilog="Example: tripoint runs show runs/mine")
@click.argument("run")
@_IN
@_JSON
def show(run: str, folder: Path, as_json: bool) -> None:
    """Show what RUN (a folder, or its name in runs/) was, whether it is whole, and what it shows."""
    from cli.measurement.run_folders import describe, named_run
    from loadtests.record.store import open_store

    kept = describe(named_run(run, folder))
    if as_json:
        with open_store(kept.folder) as store:
            header = store.header()
        click.echo(json.dumps({**kept.document(), "header": header}, indent=2, ensure_ascii=False))
        return
    click.echo(_line(kept))
    if kept.state == "unreadable":
        click.echo(f"    {kept.verdict}")
        return
    with open_store(kept.folder) as store:
        header = store.header()
    for label, value in _facts(kept, header).items():
        click.echo(f"{label:10} {value}")


@command.command("delete", epilog="Example: tripoint runs delete runs/mine --yes")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@_IN
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_runs(runs: tuple[str, ...], folder: Path, yes: bool) -> None:
    """Delete the folder of each RUN (a folder, or its name in runs/) with every sample; what is no run is refused."""
    from cli.framework.refusal import CommandRefused
    from cli.measurement.run_folders import delete, describe, named_run, refuse_to_delete

    found = [named_run(name, folder) for name in dict.fromkeys(runs)]
    for reason in filter(None, map(refuse_to_delete, found)):
        raise CommandRefused(reason)
    if not yes:
        for each in found:
            click.echo(_line(describe(each)))
        if not click.confirm("Delete for ever?"):
            click.echo("nothing is deleted")
            sys.exit(1)
    for each in found:
        delete(each)
        click.echo(f"{each} is deleted")


def _line(kept: StoredRun) -> str:
    date = kept.started[:16].replace("T", " ")
    size = f"{kept.size_bytes / 1e6:.1f} MB"
    what = f"{kept.scenario}: {', '.join(kept.targets)}" if kept.targets else ""
    return f"{kept.folder}  {date}  {size}  {kept.state}  {what}".rstrip()


def _facts(kept: StoredRun, header: dict[str, object]) -> dict[str, object]:
    machine = header.get("machine")
    named = machine if isinstance(machine, dict) else {}
    return {
        "samples": f"{kept.samples:,}" + (f", {kept.missing:,} planned ones are missing" if kept.missing else ""),
        "model": header.get("model", "-"),
        "seed": header.get("seed", "-"),
        "machine": ", ".join(f"{value} cores" if name == "cores" else str(value) for name, value in named.items()),
        "version": f"tripoint {header.get('tripoint', '-')}, commit {header.get('git_commit') or '-'}",
        "command": header.get("command", "-"),
        "shows": kept.verdict or f"not summarised: tripoint report {kept.folder}",
        "next": f"tripoint check {kept.folder}; tripoint report {kept.folder}",
    }
