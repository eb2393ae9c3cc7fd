"""Groups of commands: one command for each module of a package, imported when it is used."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, cast

import click

from cli.framework.help_overview import short_help
from cli.framework.settings import name_variables
from cli.framework.shell_values import offer_values


class ModuleGroup(click.Group):
    """A group with one subcommand for each module of `package`; names with an underscore are not listed.

    `path` is what is typed before a subcommand, without `tripoint`: it names the environment variables.
    """

    def __init__(self, *words: Any, package: str, path: tuple[str, ...] = (), **more: Any) -> None:
        super().__init__(*words, **more)
        self.package = package
        self.path = path

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the modules."""
        folders = importlib.import_module(self.package).__path__
        names = {module.name for module in pkgutil.iter_modules(folders)}
        return sorted(name for name in names if name != "main" and not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one subcommand, or None when there is none of that name."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command = cast("click.Command", importlib.import_module(f"{self.package}.{cmd_name}").command)
        prepare(command, (*self.path, cmd_name))
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve as click does, and propose the nearest name for an unknown one without importing a command."""
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.NoSuchCommand(args[0], possibilities=known, ctx=ctx)
        return super().resolve_command(ctx, args)


def prepare(command: click.Command, path: tuple[str, ...]) -> None:
    """Give `command` its short help, its options their environment variables, and their values completion."""
    command.short_help = command.short_help or short_help(path)
    name_variables(command, path)
    offer_values(command, path[-1])
    if isinstance(command, click.Group) and not isinstance(command, ModuleGroup):
        for name, each in command.commands.items():
            prepare(each, (*path, name))
