"""Read what is to be deployed, and by whom, from the flags and from tripoint.toml."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.session import Session

CONFIG = Path("tripoint.toml")


def session_of(asked: dict[str, Any]) -> Session:
    """The session of this folder, with the settings of tripoint.toml under those of the flags."""
    from adapters.deployment.function_spec import read_function_specs
    from adapters.deployment.session import Session

    chosen = read_function_specs(CONFIG)[0] if CONFIG.is_file() else {}
    chosen |= {name: asked[name] for name in ("project", "owner") if asked.get(name)}
    hours = asked.get("hours") or chosen.pop("time_to_live_h", 4)
    chosen.pop("time_to_live_h", None)
    return replace(Session(say=click.echo), life=timedelta(hours=hours), **chosen)


def variants_of(clouds: Sequence[str], asked: dict[str, Any]) -> list[FunctionSpec]:
    """Those of tripoint.toml (of `clouds`), or one for each of `clouds`; flags go over both."""
    from adapters import contract
    from adapters.deployment.function_spec import FunctionSpec, read_function_specs

    for cloud in clouds:
        contract.load(cloud)
    wanted = set(clouds or contract.clouds())
    listed = read_function_specs(CONFIG)[1] if CONFIG.is_file() else []
    found = [variant for variant in listed if variant.cloud in wanted] or [
        FunctionSpec(cloud) for cloud in sorted(wanted)
    ]
    given = {name: value for name, value in asked.items() if value is not None and name in FunctionSpec.__slots__}
    return [replace(variant, **given) for variant in found]
