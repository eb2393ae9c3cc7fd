"""`tripoint model`: the workshop of models. One subcommand for each module of this package."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

import click


class Workshop(click.Group):
    """One subcommand for each module that has a `command`; imported only when used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of the modules."""
        return sorted(each.name for each in pkgutil.iter_modules(__path__) if not each.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand, or None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return cast("click.Command", importlib.import_module(f"{__name__}.{cmd_name}").command)


@click.command(cls=Workshop, epilog="Example: tripoint model list")
def command() -> None:
    """Bring your model, make it small, know what it costs in accuracy."""
