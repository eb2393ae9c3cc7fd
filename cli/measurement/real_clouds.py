"""Real clouds in a measurement: which targets, after the question; deploying and removing around it; the keys."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from cli.framework.refusal import CommandRefused
from cli.measurement.confirmation import confirm_cost, log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.session import Session
    from cli.framework.progress import Display
    from cli.measurement.confirmation import PlannedLoad
    from loadtests.credentials.provider import CredentialProvider
    from loadtests.plan.targets import Target
    from loadtests.record.platform_reports import ReportSource

    Load = Callable[[Sequence[Target]], PlannedLoad]
    Wanted = Callable[[dict[str, Any]], tuple[Sequence[FunctionSpec], Sequence[str]]]

RECORD = Path(".tripoint") / "deployment.json"
DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class MeasurementPlan:
    """What is measured, as it was agreed to: `variants` are deployed for the time of the run, or `targets` exist.

    `requests_usd` is what of the budget is left for requests; None without a budget. `notes` are about the choice.
    """

    targets: Sequence[Target]
    session: Session | None = None
    variants: Sequence[FunctionSpec] = ()
    requests_usd: Decimal | None = None
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ReadyTargets:
    """What can be measured now: `porter` opens what is closed, `source` reads what the platforms write about it."""

    targets: Sequence[Target]
    credentials: CredentialProvider | None = field(default=None, repr=False)
    source: ReportSource | None = None


def offer_removal(*, yes: bool) -> None:
    """Offer to remove what a comparison that was cut off has left in this folder."""
    if not RECORD.exists():  # without the imports that a look inside costs
        return
    from adapters.deployment.session import Session

    session = Session(say=log)
    left = session.orphaned()
    if left is None:
        return
    whose = f"{left.deployment.name}, from a comparison that was cut off"
    what = f"{len(left.entries)} resource(s) of {whose}, may exist and cost money"
    if yes or (sys.stdin.isatty() and click.confirm(f"{what}. Remove them now?", err=True)):
        session.destroy()
        log("nothing is left")
    else:
        log(f"{what}: `tripoint deploy destroy` removes them")


def plan_measurement(asked: dict[str, Any], sending: Load, wanted: Wanted) -> MeasurementPlan | None:
    """What real clouds are measured, after the question; None when local ones are. Raises UsageError, Refusal.

    `sending` says what these targets would be sent, `wanted` which variants are deployed and what is to be said of
    that.
    """
    if asked["deploy"] and asked["targets"]:
        raise click.UsageError("--deploy and --targets do not go together: --deploy measures what it makes")
    if asked["deploy"]:
        return _to_deploy(asked, sending, wanted)
    return _to_measure(asked, sending) if asked["targets"] else None


@contextmanager
def ready_targets(course: MeasurementPlan, display: Display) -> Iterator[ReadyTargets]:
    """The targets, and who opens them; what was deployed for the run is gone when the block is left."""
    if course.session is None:
        yield ReadyTargets(course.targets)
        return
    from adapters.deployment.credentials import DeploymentCredentials
    from adapters.deployment.platform_reports import Reporter

    if not course.variants:
        yield ReadyTargets(course.targets, DeploymentCredentials(course.session), Reporter(course.session))
        return
    from adapters.deployment.targets import by_target_name, target_document
    from loadtests.plan.targets import Target

    display.show("deploy", 0, 1)
    with course.session.deployed(course.variants) as endpoints:
        display.show("deploy", 1, 1)
        named = by_target_name(endpoints)
        targets = [Target.from_document(target_document(name, each)) for name, each in named.items()]
        yield ReadyTargets(targets, DeploymentCredentials(course.session), Reporter(course.session))


def _to_deploy(asked: dict[str, Any], sending: Load, wanted: Wanted) -> MeasurementPlan:
    from cli.measurement.deployment import session_of
    from cli.measurement.deployment_cost import hours_of, standing_usd

    variants, notes = wanted(asked)
    session = replace(session_of({"hours": asked["hours"]}), say=log)  # standard output is for the result
    for note in notes:
        log(f"note    {note}")
    for change in session.plan(variants):
        log(f"{change.action:7} {change.resource.cloud:6} {change.summary}")
    targets = [_planned(number, each) for number, each in enumerate(variants)]
    sent = sending(targets)
    stands = (standing_usd(each, hours_of(session.life), renewals=sent.renewals) for each in variants)
    question = "Deploy this, measure it, and remove it?"
    left_usd = confirm_cost(asked, targets, sent, standing_usd=sum(stands, Decimal(0)), question=question)
    return MeasurementPlan(targets, session, variants, left_usd, notes)


def _planned(number: int, variant: FunctionSpec) -> Target:
    """A variant that is not deployed yet, for its price."""
    from loadtests.plan.targets import Target

    return Target(
        name=f"{variant.cloud} {number}",
        cloud=variant.cloud,
        plan=variant.plan_name,
        region=variant.place,
        memory_mb=variant.memory,
        url="https://x.invalid/",
        concurrency=variant.concurrency,
        architecture=variant.architecture,
        gateway=variant.gateway,
    )


def _to_measure(asked: dict[str, Any], sending: Load) -> MeasurementPlan:
    from adapters.deployment.session import Session
    from adapters.deployment.targets import TARGETS
    from loadtests.cost.gateway import check_gateways
    from loadtests.plan.targets import read_targets

    path = RECORD.with_name(TARGETS) if str(asked["targets"]) == DEPLOYED else Path(asked["targets"])
    if not path.is_file():
        deployed = str(asked["targets"]) == DEPLOYED
        then = "`tripoint deploy apply` makes it" if deployed else f"give a file of targets, or {DEPLOYED!r}"
        raise click.UsageError(f"--targets: there is no {path}: {then}")
    targets = read_targets(path)
    check_gateways(targets)
    session = Session(folder=path.parent, say=log) if (path.parent / RECORD.name).exists() else None
    if not session and all(map(_is_here, targets)):
        return MeasurementPlan(
            targets, requests_usd=None if asked["budget"] is None else Decimal(str(asked["budget"]))
        )
    sent = sending(targets)
    if session:
        _refuse_cut_off(session)
    standing_usd = _standing_usd(session, renewals=sent.renewals) if session else Decimal(0)
    if asked["budget"] is not None and not session:
        _refuse_unknown_life(targets)
    left_usd = confirm_cost(asked, targets, sent, standing_usd=standing_usd, question="Send this load?")
    return MeasurementPlan(targets, session, (), left_usd)


def _refuse_cut_off(session: Session) -> None:
    """Raise Refusal for what is changed in part: it may not be what its target says that it is."""
    for entry in session.recorded().entries.values():
        if entry.fingerprint is None:
            what = f"{entry.resource.kind} {entry.resource.name}"
            raise CommandRefused(
                f"{what} was cut off while it was made or changed: `tripoint deploy apply` finishes it"
            )


def _refuse_unknown_life(targets: Sequence[Target]) -> None:
    """Raise Refusal for a target whose cost nobody can cap who does not know how many instances it may have."""
    from loadtests.cost import PlanError, load_plan

    for target in targets:
        with suppress(PlanError, LookupError):  # what has no plan is refused for its price
            if load_plan(target.cloud, target.plan).bills_instance_lifetime:
                raise CommandRefused(
                    f"--budget: target {target.name!r} bills the whole life of instances, and how many there may be"
                    " is known only of what `tripoint deploy` made: leave --budget out"
                )


def _is_here(target: Target) -> bool:
    """Whether a target is on this machine, where it costs nothing."""
    return target.control is not None or urlsplit(target.url).hostname in {"127.0.0.1", "::1", "localhost"}


def _standing_usd(session: Session, *, renewals: int) -> Decimal:
    """The most that what stands costs besides the requests until the deployment's time is over."""
    from datetime import UTC, datetime, timedelta

    from cli.measurement.deployment_cost import hours_of, standing_usd

    left = max(session.recorded().deployment.expires - datetime.now(UTC), timedelta(0))
    variants = [each.variant for each in session.endpoints()]
    return sum((standing_usd(each, hours_of(left), renewals=renewals) for each in variants), Decimal(0))
