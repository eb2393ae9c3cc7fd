"""Targets that can be measured now: deployed ones, given ones, or local clouds that are started for the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.deployment.session import Session
    from cli.framework.progress import Display
    from cli.measurement.real_clouds import MeasurementPlan
    from cli.measurement.versions import Version
    from loadtests.credentials.provider import CredentialProvider
    from loadtests.plan.targets import Target
    from loadtests.record.platform_reports import ReportSource


@dataclass(frozen=True, slots=True)
class ReadyTargets:
    """Targets with what a run needs to measure them.

    `credentials` open closed targets, `source` reads the platforms' own lines about the requests, `settle_s` is how
    long a new instance keeps its extra processor time, in seconds. `notes` are sentences about the choice of targets.
    """

    targets: Sequence[Target]
    credentials: CredentialProvider | None = field(default=None, repr=False)
    source: ReportSource | None = None
    settle_s: float = 0.0
    notes: Sequence[str] = ()

    @property
    def can_force_cold_start(self) -> bool:
        """Whether a cold start can be forced on at least one target."""
        names = self.credentials.cold_start_targets if self.credentials is not None else ()
        return any(target.control or target.name in names for target in self.targets)


@contextmanager
def ready_targets(plan: MeasurementPlan, display: Display) -> Iterator[ReadyTargets]:
    """Yield the targets of `plan`. What is deployed for the run is removed when the block ends."""
    if plan.session is None:
        yield ReadyTargets(plan.targets, notes=plan.notes)
        return
    if not plan.variants:
        yield _of_session(plan.session, plan.targets, plan.notes)
        return
    from adapters.deployment.targets import by_target_name, target_document
    from loadtests.plan.targets import Target

    display.show("deploy", 0, 1)
    with plan.session.deployed(plan.variants) as endpoints:
        display.show("deploy", 1, 1)
        documents = [target_document(name, endpoint) for name, endpoint in by_target_name(endpoints).items()]
        yield _of_session(plan.session, [Target.from_document(document) for document in documents], plan.notes)


def given_targets(source: str) -> ReadyTargets:
    """Return the targets that --targets names, with their credentials where `tripoint deploy` made them."""
    from cli.measurement.real_clouds import read_given

    targets, session = read_given(source)
    return ReadyTargets(targets) if session is None else _of_session(session, targets, ())


def _of_session(session: Session, targets: Sequence[Target], notes: Sequence[str]) -> ReadyTargets:
    """Return targets that this project deployed, with the credentials and the reports of their clouds."""
    from adapters.deployment.deployed_targets import DeployedTargets

    deployed = DeployedTargets(session)
    clouds = {target.cloud for target in targets if target.name in deployed.cold_start_targets}
    return ReadyTargets(targets, deployed, deployed, settling_s(clouds), notes)


def settling_s(clouds: Iterable[str]) -> float:
    """Return the longest time, in seconds, for which one of `clouds` gives a new instance extra processor time."""
    from adapters import contract
    from adapters.emulator.memory_sizes import boosted_s

    known = set(clouds) & set(contract.clouds())
    return max((boosted_s(contract.load(cloud).data["memory"]) for cloud in known), default=0.0)


@contextmanager
def local_clouds(
    names: Sequence[str] | None,
    display: Display,
    *,
    model: str,
    memory_mb: int | None,
    against: Version | None = None,
    beside_empty: bool = False,
) -> Iterator[ReadyTargets]:
    """Run the local clouds of these names (None: all) and yield one target for each. Raises LookupError.

    With `against`, each cloud runs a second time with that version, as a target of the name with BEFORE at its end.
    `beside_empty`: each runs a second time with its empty function, if it has one, as a target with EMPTY at its end.
    """
    from adapters import contract
    from adapters.emulator import clouds, options
    from cli.measurement.local_targets import target_of
    from loadtests.analysis.against import BEFORE
    from loadtests.plan.targets import EMPTY

    names = list(contract.clouds()) if names is None else names
    for name in names:
        contract.load(name)
    settings = options.EmulatorOptions(model=model, memory_mb=memory_mb)
    launches = [clouds.CloudLaunch(name, name, settings) for name in names]
    if against is not None:
        other = options.EmulatorOptions(
            model=against.model,
            memory_mb=memory_mb,
            code=None if against.code is None else str(against.code),
            bundle=None if against.bundle is None else str(against.bundle),
        )
        launches += [clouds.CloudLaunch(f"{name}{BEFORE}", name, other) for name in names]
    if beside_empty:
        nothing = options.EmulatorOptions(memory_mb=memory_mb, empty=True)
        having = [name for name in names if "empty" in contract.load(name).data["bundle"]]
        launches += [clouds.CloudLaunch(f"{name}{EMPTY}", name, nothing) for name in having]
    display.show("start local clouds", 0, len(launches))
    with clouds.start_all(launches) as running:
        display.show("start local clouds", len(launches), len(launches))
        targets = [replace(target_of(local), name=name) for name, local in running.items()]
        yield ReadyTargets([replace(each, empty=each.name.endswith(EMPTY)) for each in targets])
