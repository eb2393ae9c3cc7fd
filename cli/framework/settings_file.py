"""Read `tripoint.toml`: a table of defaults for each command, and the variants of `deploy`."""

from __future__ import annotations

import difflib
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from cli.framework.refusal import CommandRefused
from cli.framework.settings import FILE_NAME, EffectiveSetting, key_of, options_of

_TOP = "owner, project, time_to_live_h"
DEPLOYMENT_KEYS = (*_TOP.split(", "), "variants")  # adapters/deployment/function_spec.py reads these


def read_defaults(root: click.Group, context: click.Context, path: Path | None = None) -> dict[str, Any]:
    """Return the file's defaults as click's `default_map`, `{command: {parameter: value}}`.

    Return {} without a file. Raises CommandRefused with the unknown name and the nearest known one.
    """
    file = path or Path(FILE_NAME)
    if not file.is_file():
        return {}
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CommandRefused(f"{file} is not TOML: {error}; correct it, or move it away") from error
    tables = {name: value for name, value in document.items() if name not in DEPLOYMENT_KEYS}
    return _group(root, context, tables, "")


def _group(group: click.Group, context: click.Context, tables: dict[str, Any], at: str) -> dict[str, Any]:
    """Return the defaults of one group's commands."""
    known = group.list_commands(context)
    found: dict[str, Any] = {}
    for name, table in tables.items():
        command = group.get_command(context, name) if name in known else None
        if command is None:
            top = [] if at else DEPLOYMENT_KEYS
            raise CommandRefused(
                _unknown(f"[{at}{name}]" if isinstance(table, dict) else f"{name!r}", name, [*known, *top])
            )
        if not isinstance(table, dict):
            raise CommandRefused(
                f"{FILE_NAME}: {at}{name} is {table!r}: expected a table [{at}{name}] of its options"
            )
        if isinstance(command, click.Group):
            found[name] = _group(command, context, table, f"{at}{name}.")
        else:
            found[name] = _options(command, table, f"{at}{name}")
    return found


def _options(command: click.Command, table: dict[str, Any], at: str) -> dict[str, Any]:
    """Return one command's defaults, by parameter."""
    known = {key_of(option): option for option in options_of(command)}
    if at.startswith("deploy."):
        known = {key: option for key, option in known.items() if not _is_of_variants(option)}
    found = {}
    for key, value in table.items():
        if key not in known:
            raise CommandRefused(_hint(at, command, key) or _unknown(f"[{at}] {key}", key, list(known)))
        found[known[key].name or key] = _value(known[key], value, f"{FILE_NAME}: [{at}] {key}")
    return found


def _value(option: click.Option, value: Any, where: str) -> Any:
    """Return a value for click to convert: a list becomes several values, or one with commas."""
    if isinstance(value, dict) or isinstance(value, bool) != option.is_flag:
        expected = "true or false" if option.is_flag else "a value or a list"
        raise CommandRefused(f"{where} is {value!r}: expected {expected}")
    if option.multiple:
        return [str(each) for each in (value if isinstance(value, list) else [value])]
    return ",".join(str(each) for each in value) if isinstance(value, list) else value


def _is_of_variants(option: click.Option) -> bool:
    """Return whether `deploy` reads the option at the file's top or in `[[variants]]`, and so not in a table."""
    from adapters.deployment.function_spec import FunctionSpec

    return option.name in {*FunctionSpec.__slots__, "project", "owner", "hours"}


def _hint(at: str, command: click.Command, key: str) -> str:
    if not at.startswith("deploy.") or key not in {key_of(option) for option in options_of(command)}:
        return ""
    return f"{FILE_NAME}: [{at}] {key} is set elsewhere: in [[variants]], or at the file's top ({_TOP})"


def _unknown(what: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.replace("_", "-"), known, n=1)
    proposal = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
    return f"{FILE_NAME} has unknown {what}: {proposal}"


def deployment_settings(path: Path | None = None) -> list[EffectiveSetting]:
    """Return what `deploy` reads of the file, with its defaults; a wrong setting says what is wrong."""
    from adapters.deployment.function_spec import read_function_specs
    from adapters.deployment.session import Session

    file, session = path or Path(FILE_NAME), Session()
    try:
        given, variants = read_function_specs(file) if file.is_file() else ({}, [])
    except (ValueError, TypeError) as error:
        return [EffectiveSetting(("deploy",), "variants", "", None, FILE_NAME, str(error))]
    usual = {"project": session.project, "owner": session.owner, "time_to_live_h": session.life / timedelta(hours=1)}
    found = [
        EffectiveSetting(("deploy",), key, "", given.get(key, value), FILE_NAME if key in given else "default")
        for key, value in usual.items()
    ]
    words = [
        f"{each.cloud} {each.plan_name} {each.memory} MB, {each.place}, {each.architecture}" for each in variants
    ]
    if words:
        return [*found, EffectiveSetting(("deploy",), "variants", "", words, FILE_NAME)]
    return [*found, EffectiveSetting(("deploy",), "variants", "", ["one for each cloud"], "default")]
