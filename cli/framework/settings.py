"""The settings of commands: their names in `tripoint.toml` and the environment, values and origins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import click
from click.core import ParameterSource

PREFIX = "TRIPOINT"
FILE_NAME = "tripoint.toml"
# These must be given with each call: most of them confirm or widen a removal.
_FLAGS_ONLY = frozenset({"all", "debug", "help", "version", "yes"})


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One option of one command, its effective value, and its origin: a variable, the file, or the default."""

    command: tuple[str, ...]
    key: str
    variable: str
    value: Any
    origin: str
    wrong: str | None = None

    def document(self) -> dict[str, Any]:
        """Return a document for JSON."""
        named = {"command": " ".join(self.command), "key": self.key, "variable": self.variable}
        return {**named, "value": self.value, "origin": self.origin, "wrong": self.wrong}


def key_of(option: click.Option) -> str:
    """Return the option's key in a table of `tripoint.toml`: its long flag without dashes."""
    return max((flag.lstrip("-") for flag in option.opts), key=len)


def variable_of(path: tuple[str, ...], key: str) -> str:
    """Return the environment variable of an option, such as `TRIPOINT_SERVE_MAX_INSTANCES`."""
    return "_".join((PREFIX, *path, key)).replace("-", "_").upper()


def options_of(command: click.Command) -> Iterator[click.Option]:
    """Yield the options of `command` that can be settings."""
    for param in command.params:
        if isinstance(param, click.Option) and not param.hidden and key_of(param) not in _FLAGS_ONLY:
            yield param


def name_variables(command: click.Command, path: tuple[str, ...]) -> None:
    """Give each option of `command` its environment variable, unless it has one already."""
    for option in options_of(command):
        if option.envvar is None:
            option.envvar = variable_of(path, key_of(option))


def leaves(
    group: click.Group, context: click.Context, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command below `group` that is no group itself, with the words that call it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from leaves(command, context, (*path, name))
        elif command is not None:
            yield (*path, name), command


def effective(path: tuple[str, ...], command: click.Command, defaults: dict[str, Any]) -> list[EffectiveSetting]:
    """Return the settings that `command` uses without flags; `defaults` are those of the file."""
    context = click.Context(command, info_name=path[-1], resilient_parsing=True)
    context.default_map = defaults
    return [_setting(path, option, context) for option in options_of(command)]


def _setting(path: tuple[str, ...], option: click.Option, context: click.Context) -> EffectiveSetting:
    given, source = option.consume_value(context, {})
    variable = str(option.envvar)
    where = _words(source, option)
    if source is ParameterSource.DEFAULT or given is None:
        return EffectiveSetting(path, key_of(option), variable, _plain(option.get_default(context)), "default")
    try:
        value = option.type_cast_value(context, given)
    except click.UsageError as error:
        return EffectiveSetting(path, key_of(option), variable, given, where, error.format_message())
    return EffectiveSetting(path, key_of(option), variable, _plain(value), where)


def origin(context: click.Context, option: click.Parameter) -> str:
    """Return where the value of `option` came from, in words."""
    return _words(context.get_parameter_source(option.name or ""), option)


def _words(source: ParameterSource | None, option: click.Parameter) -> str:
    if source is ParameterSource.ENVIRONMENT:
        return str(option.envvar)
    if source is ParameterSource.DEFAULT_MAP:
        return FILE_NAME
    return "flag" if source is ParameterSource.COMMANDLINE else "default"


def _plain(value: Any) -> Any:
    """Return `value` as JSON has it; None for a value that is not set."""
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if isinstance(value, bool | int | float):
        return value
    return (
        str(value) if isinstance(value, str | PurePath) else None
    )  # click marks what is not set with its own object


def is_typed(name: str) -> bool:
    """Return whether this option of the running command was a flag: a setting gives way to other flags."""
    context = click.get_current_context()
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


def settings_note(context: click.Context) -> dict[str, str]:
    """Return the options that are not defaults, with their origins, as a note for a run's header."""
    settings = {
        key_of(option): {"value": _plain(context.params.get(option.name or "")), "origin": origin(context, option)}
        for option in options_of(context.command)
        if origin(context, option) != "default"
    }
    return {"options": json.dumps(settings, sort_keys=True)}
