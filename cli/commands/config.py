"""`tripoint config`: every effective setting, and where it came from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from cli.framework.settings import EffectiveSetting

_EPILOG = """
Exit codes: 0 every setting can be used; 1 one cannot; 2 tripoint.toml cannot be read.

Example: tripoint config compare
"""


@click.command(epilog=_EPILOG)
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.option("--changed", is_flag=True, help="Only settings that are not defaults.")
@click.option("--json", "as_json", is_flag=True, help="Print the settings as JSON.")
@click.pass_context
def command(context: click.Context, words: tuple[str, ...], changed: bool, as_json: bool) -> None:
    """Show what every option of COMMAND (or of all) is without a flag: its value, and who set it.

    A flag goes over the environment, that over tripoint.toml in the working folder, and that over the default.
    Each command has a table there, with its long options as keys; deploy has [[variants]] (docs/configuration.md).
    """
    from cli.framework.variables import unknown_variables

    found = [each for each in _settings(context.find_root(), words) if not changed or each.origin != "default"]
    found += unknown_variables(context.find_root(), os.environ)
    if as_json:
        click.echo(json.dumps([each.document() for each in found], indent=2, ensure_ascii=False))
    else:
        _print(found)
    if any(each.wrong for each in found):
        sys.exit(1)


def _settings(root: click.Context, words: tuple[str, ...]) -> list[EffectiveSetting]:
    """Return the settings of every command that begins with `words`. Raises UsageError when there is none."""
    from cli.framework.settings import effective, leaves
    from cli.framework.settings_file import deployment_settings

    assert isinstance(root.command, click.Group)
    commands = {path: each for path, each in leaves(root.command, root) if path[: len(words)] == words}
    if not commands:
        raise click.UsageError(f"no command {' '.join(words)!r}: `tripoint --help` lists them")
    found: list[EffectiveSetting] = []
    for path, each in commands.items():
        defaults: dict[str, Any] = root.default_map or {}  # type: ignore[assignment]
        for word in path:
            defaults = defaults.get(word, {})
        found += effective(path, each, defaults)
    return [*found, *(deployment_settings() if any(path[0] == "deploy" for path in commands) else ())]


def _print(settings: Sequence[EffectiveSetting]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("command", "setting", "value", "from"):
        drawn.add_column(heading, overflow="fold")
    for each in settings:
        value = Text("-" if each.value in (None, []) else json.dumps(each.value, ensure_ascii=False).strip('"'))
        where = Text(each.origin, "" if each.origin == "default" else "bold")
        drawn.add_row(" ".join(each.command), each.key, value, where)
    console = Console(highlight=False)
    console.print(drawn if settings else "Every setting is its default.")
    for each in settings:
        if each.wrong:
            named = (
                f"{' '.join(each.command)} --{each.key} ({each.origin})"
                if each.variable and each.key
                else each.origin
            )
            console.print(f"wrong: {named}: {each.wrong}", markup=False)
