"""Choose the functions that `compare --deploy` and `tune --deploy` deploy for the time of their run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from cli.measurement.deployment import DeployOptions, variants_of

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from loadtests.plan.sweep_grid import GridPoint, SweepRequest

_MODEL = "clothes"  # deployed unless --model or tripoint.toml names another


def variants_to_compare(clouds: Sequence[str], *, model: str, memory_mb: int | None) -> list[FunctionSpec]:
    """Return the variants of tripoint.toml, or one for each cloud, with this memory size and model."""
    return variants_of(clouds, _options(model, memory_mb))


def variants_to_sweep(
    clouds: Sequence[str], request: SweepRequest, *, model: str
) -> tuple[list[FunctionSpec], list[str]]:
    """Return one variant for each requested setting, and sentences about settings that were left out.

    A setting that is not requested comes from the cloud's first variant in tripoint.toml. Where the file lists
    several variants of a cloud and no setting is requested, those variants are the settings.
    """
    from cli.measurement.sweep_targets import cloud_options
    from loadtests.plan.sweep_grid import SweepRequest, grid_points

    variants: list[FunctionSpec] = []
    notes: list[str] = []
    for cloud in clouds:
        listed = variants_of([cloud], _options(model))
        if request == SweepRequest() and len(listed) > 1:
            variants += listed
            continue
        points, left_out = grid_points(cloud_options([cloud]), request)
        variants += [_variant(listed[0], point, request) for point in points]
        notes += left_out
    return variants, notes


def _variant(base: FunctionSpec, point: GridPoint, request: SweepRequest) -> FunctionSpec:
    """Return `base` with the requested settings; the local clouds' own defaults do not count here."""
    concurrency = point.concurrency if request.concurrency else base.concurrency
    architecture = point.architecture if request.architectures else base.architecture
    python = point.python or base.python
    return replace(base, memory_mb=point.memory_mb, concurrency=concurrency, architecture=architecture, python=python)


def _options(model: str, memory_mb: int | None = None) -> DeployOptions:
    return DeployOptions(memory_mb=memory_mb, model=model if model != _MODEL else None)
