"""Prepare the targets of a sweep: start one local cloud for each requested setting."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from cli.framework.settings import is_typed
from cli.measurement.environments import environments
from cli.measurement.local_targets import target_of
from cli.measurement.ready_targets import ReadyTargets, settling_s

if TYPE_CHECKING:
    from cli.framework.progress import Display
    from cli.measurement.options import TuneOptions
    from loadtests.plan.sweep_grid import CloudOptions, GridPoint, SweepRequest
    from loadtests.plan.targets import Target

_SETTINGS = ("memory", "concurrency", "architecture", "python")


def check_exclusions(options: TuneOptions) -> None:
    """Raise UsageError where --targets come with settings, or --deploy with local clouds."""
    typed = [name for name in ("clouds", *_SETTINGS) if getattr(options, name) and is_typed(name)]
    if options.targets and typed:
        flags = ", ".join(f"--{name}" for name in typed)
        raise click.UsageError(f"{flags} and --targets exclude each other: each target has its own")
    if options.deploy and "clouds" in typed:
        raise click.UsageError(
            "--clouds and --deploy exclude each other: --clouds are local, --deploy names real ones"
        )


@contextmanager
def local_sweep(
    names: Sequence[str] | None, request: SweepRequest, display: Display, *, model: str
) -> Iterator[ReadyTargets]:
    """Run a local cloud for every requested setting and yield them as targets. Raises LookupError."""
    from adapters import contract
    from adapters.emulator import clouds, options
    from loadtests.plan.sweep_grid import grid_points

    offers = cloud_options(contract.clouds() if names is None else names)
    interpreters = environments() if request.pythons else {}
    machine = _machine() if request.architectures else None
    points, notes = grid_points(offers, request, machine=machine, installed=interpreters)
    display.show("start local clouds", 0, len(points))
    targets: list[Target] = []
    with ExitStack() as running:
        for group in _groups(points):
            size = options.EmulatorOptions(
                model=model,
                memory_mb=group[0].memory_mb,
                concurrency=group[0].concurrency,
                python=interpreters.get(group[0].python),
            )
            started = running.enter_context(clouds.start([point.cloud for point in group], size))
            targets += [_target(point, started[point.cloud]) for point in group]
            display.show("start local clouds", len(targets), len(points))
        yield ReadyTargets(targets, settle_s=settling_s(offer.cloud for offer in offers), notes=notes)


def cloud_options(clouds: Iterable[str]) -> list[CloudOptions]:
    """Return the settings that each cloud offers. Raises LookupError for a cloud that is not known."""
    from adapters import contract
    from loadtests.cost.plans import load_plan
    from loadtests.plan.sweep_grid import CloudOptions

    offers = []
    for name in clouds:
        data = contract.load(name).data
        architectures = load_plan(name, data["platform"]["plan"]).architectures
        pythons = tuple(data["bundle"]["target"]["pythons"])
        offers.append(CloudOptions(name, data["memory"], data["platform"], architectures, pythons))
    return offers


def sweep_request(
    memory: str | None, concurrency: str | None, architecture: str | None, python: str | None = None
) -> SweepRequest:
    """Read the requested settings from options with commas. Raises UsageError."""
    from loadtests.plan.sweep_grid import SweepRequest

    return SweepRequest(
        _numbers("--memory", memory),
        _numbers("--concurrency", concurrency),
        tuple(architecture.split(",")) if architecture else None,
        tuple(python.split(",")) if python else None,
    )


def _numbers(flag: str, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        numbers = tuple(int(number) for number in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise click.UsageError(f"{flag} {text!r}: expected whole numbers above 0, such as 512,1024")
    return numbers


def _machine() -> str:
    """Return this machine's architecture under the name that price lists use."""
    return {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())


def _groups(points: Sequence[GridPoint]) -> list[list[GridPoint]]:
    """Group the points that local clouds can start together: one size and concurrency, each of another cloud."""
    groups: dict[tuple[int, int, str, str], list[GridPoint]] = {}
    for point in points:
        key = (point.memory_mb, point.concurrency, point.architecture, point.python)
        groups.setdefault(key, []).append(point)
    return list(groups.values())


def _target(point: GridPoint, local: Any) -> Target:
    return replace(target_of(local), name=point.name, architecture=point.architecture)
