"""`tripoint model`: the workshop of models. One subcommand for each module of this package."""

from __future__ import annotations

import click

from cli.framework.groups import ModuleGroup


@click.command(cls=ModuleGroup, package=__name__, path=("model",), epilog="Example: tripoint model list")
def command() -> None:
    """Bring your model, make it small, know what it costs in accuracy."""
