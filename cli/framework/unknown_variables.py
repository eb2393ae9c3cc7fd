"""Environment variables that look like settings of Tripoint and are none: mistyped ones."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import click

from cli.framework.settings import PREFIX, EffectiveSetting, leaves, options_of
from cli.framework.variables import documented

if TYPE_CHECKING:
    from collections.abc import Iterable


def unknown_variables(root: click.Context, names: Iterable[str]) -> list[EffectiveSetting]:
    """Of the environment's `names`, those that begin like ours and mean nothing, with the nearest that does."""
    suspects = sorted(name for name in names if name.startswith(f"{PREFIX}_"))
    if not suspects:
        return []
    known = [*documented(), *_of_options(root)]
    return [_wrong(name, known) for name in suspects if name not in known]


def _of_options(root: click.Context) -> Iterable[str]:
    assert isinstance(root.command, click.Group)
    for _, command in leaves(root.command, root):
        yield from (str(option.envvar) for option in options_of(command))


def _wrong(name: str, known: list[str]) -> EffectiveSetting:
    near = difflib.get_close_matches(name, known, n=1)
    advice = f"did you mean {near[0]}?" if near else "docs/reference.md lists the known ones"
    return EffectiveSetting((), "", name, None, name, f"no setting has this variable: {advice}")
