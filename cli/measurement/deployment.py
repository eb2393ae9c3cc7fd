"""Read what is to be deployed, and by whom, from the flags and from tripoint.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.session import Session

CONFIG = Path("tripoint.toml")
_LIFE_H = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """The flags of `tripoint deploy`; None for a flag that was not given. `hours` is the time to live."""

    project: str | None = None
    owner: str | None = None
    hours: float | None = None
    memory_mb: int | None = None
    plan: str | None = None
    region: str | None = None
    architecture: str | None = None
    python: str | None = None
    concurrency: int | None = None
    maximum_instances: int | None = None
    reserved_instances: int | None = None
    access: str | None = None
    ingress: str | None = None
    cpu_boost: bool | None = None
    front: str | None = None
    model: str | None = None
    runtime: str | None = None
    format: str | None = None


_OF_SESSION = frozenset({"project", "owner", "hours"})
_OF_VARIANT = tuple(option.name for option in fields(DeployOptions) if option.name not in _OF_SESSION)


def session_of(options: DeployOptions | None = None) -> Session:
    """Return the session of this folder: flags override tripoint.toml, which overrides the defaults."""
    from adapters.deployment.function_spec import read_function_specs
    from adapters.deployment.session import Session

    flags = options or DeployOptions()
    settings = read_function_specs(CONFIG)[0] if CONFIG.is_file() else {}
    hours = settings.pop("time_to_live_h", _LIFE_H)
    settings |= {name: value for name in ("project", "owner") if (value := getattr(flags, name))}
    return replace(Session(say=click.echo), life=timedelta(hours=flags.hours or hours), **settings)


def account_notes(variants: Sequence[FunctionSpec]) -> list[str]:
    """Return what the accounts say about what is to be made, such as quotas; the clouds are only read.

    Raises NotReady where a cloud cannot be asked, and DeployError for what an account refuses for certain.
    """
    from adapters.deployment import provider as resources
    from adapters.deployment import session
    from adapters.deployment.errors import NotReady

    clouds = sorted({variant.cloud for variant in variants})
    if lacking := session.missing(clouds):
        raise NotReady("\n".join(lacking.values()))
    found: list[str] = []
    for cloud in clouds:
        provider = resources.provider_of(cloud)
        with session.translated([provider]):
            found += provider.notes([variant for variant in variants if variant.cloud == cloud])
    return found


def variants_of(clouds: Sequence[str], options: DeployOptions) -> list[FunctionSpec]:
    """Return the variants of `clouds` in tripoint.toml, or one for each cloud; flags override both.

    No clouds means all. Raises LookupError for a cloud that is not known.
    """
    from adapters import contract
    from adapters.deployment.function_spec import FunctionSpec, read_function_specs

    for cloud in clouds:
        contract.load(cloud)
    names = set(clouds or contract.clouds())
    listed = read_function_specs(CONFIG)[1] if CONFIG.is_file() else []
    variants = [variant for variant in listed if variant.cloud in names]
    variants = variants or [FunctionSpec(cloud) for cloud in sorted(names)]
    flags = {name: value for name in _OF_VARIANT if (value := getattr(options, name)) is not None}
    return [replace(variant, **flags) for variant in variants]
