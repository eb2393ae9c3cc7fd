"""`tripoint model remove`: forget a model of yours."""

from __future__ import annotations

import sys

import click

from cli.framework.refusal import CommandRefused


@click.command(epilog="Example: tripoint model remove pets")
@click.argument("model")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(model: str, yes: bool) -> None:
    """Delete MODEL and its files; the built-in one stays."""
    from adapters.bundle import model_lookup

    found = model_lookup.entry_of(model)
    if found.built_in:
        raise CommandRefused(
            f"{found.name} is built in and stays: only models of yours are removed, see tripoint model list"
        )
    if not yes:
        if not sys.stdin.isatty():
            raise CommandRefused(f"{found.folder} would be deleted: say --yes, or run this on a terminal to be asked")
        click.confirm(f"Delete {found.folder}?", abort=True)
    model_lookup.remove(found)
    click.echo(f"Removed {found.name}")
