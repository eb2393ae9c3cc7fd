"""What a sweep measures: a local cloud for every setting that is asked for, or targets that there are."""

from __future__ import annotations

import platform
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import click

from cli.framework.settings import is_typed
from cli.measurement.local_targets import target_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cli.framework.progress import Display
    from cli.measurement.real_clouds import MeasurementPlan
    from loadtests.credentials.provider import CredentialProvider
    from loadtests.plan.sweep_grid import CloudOptions, GridPoint, SweepRequest
    from loadtests.plan.targets import Target
    from loadtests.record.platform_reports import ReportSource

_SETTINGS = ("memory", "concurrency", "architecture")


@dataclass(frozen=True, slots=True)
class SweepTargets:
    """The settings, how long a new instance is left to settle, what is to be said.

    `porter` opens closed ones, `source` reads what the platforms write about them.
    """

    targets: Sequence[Target]
    settle_s: float
    notes: Sequence[str] = ()
    credentials: CredentialProvider | None = field(default=None, repr=False)
    source: ReportSource | None = None

    @property
    def forced(self) -> bool:
        """Whether anybody can force cold starts here."""
        held = self.credentials.cold_start_targets if self.credentials is not None else ()
        return any(target.control or target.name in held for target in self.targets)


@contextmanager
def sweep_targets(
    asked: dict[str, Any], display: Display, *, course: MeasurementPlan | None
) -> Iterator[SweepTargets]:
    """The targets that there are, or a local cloud for every setting, for as long as they are measured."""
    if course is None:
        with _local(asked, display) as found:
            yield found
        return
    from cli.measurement.real_clouds import ready_targets

    with ready_targets(course, display) as found:
        known = found.credentials.cold_start_targets if found.credentials is not None else ()
        settle_s = settling_s(target.cloud for target in found.targets if target.name in known)
        yield SweepTargets(found.targets, settle_s, course.notes, credentials=found.credentials, source=found.source)


def refuse_local(asked: dict[str, Any]) -> None:
    """Raise UsageError where settings are asked of targets that have their own, or local clouds beside real ones."""
    typed = [name for name in ("clouds", *_SETTINGS) if asked[name] and is_typed(name)]
    if asked["targets"] and typed:
        given = ", ".join(f"--{name}" for name in typed)
        raise click.UsageError(f"{given} and --targets exclude each other: each target has its own")
    if asked["deploy"] and "clouds" in typed:
        raise click.UsageError(
            "--clouds and --deploy exclude each other: --clouds are local, --deploy names real ones"
        )


def settling_s(clouds: Iterable[str]) -> float:
    """How long a cloud gives a new instance more processor time than its size has; the longest of them."""
    from adapters import contract

    known = set(clouds) & set(contract.clouds())
    boosts = (contract.load(cloud).data["memory"].get("boost") for cloud in known)
    return max((float(boost["after_ready_s"]) for boost in boosts if boost), default=0.0)


@contextmanager
def _local(asked: dict[str, Any], display: Display) -> Iterator[SweepTargets]:
    from adapters import contract
    from adapters.emulator import clouds, options
    from loadtests.plan.sweep_grid import grid_points

    offers = cloud_options(asked["clouds"].split(",") if asked["clouds"] else contract.clouds())
    wanted, notes = grid_points(offers, sweep_request(asked), machine=_machine() if asked["architecture"] else None)
    display.show("start local clouds", 0, len(wanted))
    targets: list[Target] = []
    with ExitStack() as running:
        for alike in _alike(wanted):
            size = options.EmulatorOptions(
                model=asked["model"], memory_mb=alike[0].memory_mb, concurrency=alike[0].concurrency
            )
            started = running.enter_context(clouds.start([trial.cloud for trial in alike], size))
            targets += [_target(trial, started[trial.cloud]) for trial in alike]
            display.show("start local clouds", len(targets), len(wanted))
        yield SweepTargets(targets, settling_s(offer.cloud for offer in offers), notes)


def cloud_options(clouds: Iterable[str]) -> list[CloudOptions]:
    """What each cloud offers. Raises LookupError for one that is not known."""
    from adapters import contract
    from loadtests.cost.plans import load_plan
    from loadtests.plan.sweep_grid import CloudOptions

    found = []
    for name in clouds:
        data = contract.load(name).data
        architectures = load_plan(name, data["platform"]["plan"]).architectures
        found.append(CloudOptions(name, data["memory"], data["platform"], architectures))
    return found


def sweep_request(asked: dict[str, Any]) -> SweepRequest:
    """The settings that are asked for. Raises UsageError."""
    from loadtests.plan.sweep_grid import SweepRequest

    architectures = asked["architecture"]
    return SweepRequest(
        _numbers("--memory", asked["memory"]),
        _numbers("--concurrency", asked["concurrency"]),
        tuple(architectures.split(",")) if architectures else None,
    )


def _numbers(flag: str, text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError:
        found = ()
    if not found or min(found) < 1:
        raise click.UsageError(f"{flag} {text!r}: expected whole numbers above 0, such as 512,1024")
    return found


def _machine() -> str:
    """This machine's architecture, as price lists call it."""
    return {"aarch64": "arm64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())


def _alike(trials: Sequence[GridPoint]) -> list[list[GridPoint]]:
    """Trials that local clouds can start together: of one size and concurrency, each of another cloud."""
    groups: dict[tuple[int, int, str], list[GridPoint]] = {}
    for trial in trials:
        groups.setdefault((trial.memory_mb, trial.concurrency, trial.architecture), []).append(trial)
    return list(groups.values())


def _target(trial: GridPoint, local: Any) -> Target:
    return replace(target_of(local), name=trial.name, architecture=trial.architecture)
