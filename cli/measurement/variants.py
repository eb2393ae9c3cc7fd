"""Which functions a command deploys for the time of its run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.deployment.function_spec import FunctionSpec
    from loadtests.plan.sweep_grid import GridPoint

_MODEL = "clothes"  # the one that is deployed unless another is said


def variants_to_compare(asked: dict[str, Any]) -> tuple[list[FunctionSpec], list[str]]:
    """Those of tripoint.toml, or one for each cloud, with the memory and model that are asked for."""
    from cli.measurement.deployment import variants_of

    return variants_of(_clouds(asked), {"memory_mb": asked["memory"], **_model(asked)}), []


def variants_to_sweep(asked: dict[str, Any]) -> tuple[list[FunctionSpec], list[str]]:
    """One for each setting that is asked for, and in sentences what was left out.

    What is not asked for is that of the cloud's first variant in tripoint.toml. Where the file lists several of a
    cloud and no setting is asked for, they are the settings.
    """
    from cli.measurement.deployment import variants_of
    from cli.measurement.sweep_targets import cloud_options, sweep_request
    from loadtests.plan.sweep_grid import grid_points

    found: list[FunctionSpec] = []
    notes: list[str] = []
    free = not any(asked[name] for name in ("memory", "concurrency", "architecture"))
    for cloud in _clouds(asked):
        listed = variants_of([cloud], _model(asked))
        if free and len(listed) > 1:
            found += listed
            continue
        tried, said = grid_points(cloud_options([cloud]), sweep_request(asked))
        found += [_variant(listed[0], trial, asked) for trial in tried]
        notes += said
    return found, notes


def _variant(base: FunctionSpec, trial: GridPoint, asked: dict[str, Any]) -> FunctionSpec:
    """`base` with what was asked for; another default of the local clouds says nothing here."""
    concurrency = trial.concurrency if asked["concurrency"] else base.concurrency
    architecture = trial.architecture if asked["architecture"] else base.architecture
    return replace(base, memory_mb=trial.memory_mb, concurrency=concurrency, architecture=architecture)


def _clouds(asked: dict[str, Any]) -> Sequence[str]:
    return [name for name in asked["deploy"].split(",") if name]


def _model(asked: dict[str, Any]) -> dict[str, Any]:
    return {"model": asked["model"] if asked["model"] != _MODEL else None}
