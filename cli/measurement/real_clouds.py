"""Plan a measurement of real clouds: the targets, their cost, and the consent to it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from cli.framework.refusal import CommandRefused
from cli.measurement.confirmation import confirm_cost, log

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.session import Session
    from cli.measurement.confirmation import PlannedLoad
    from cli.measurement.options import MeasurementOptions
    from loadtests.plan.targets import Target

    LoadOf = Callable[[Sequence[Target]], PlannedLoad]
    VariantsOf = Callable[[], tuple[Sequence[FunctionSpec], Sequence[str]]]

RECORD = Path(".tripoint") / "deployment.json"
DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class MeasurementPlan:
    """The measurement that the user has agreed to.

    `variants` are deployed for the time of the run; without them, `targets` exist already. `requests_usd` is what
    the budget leaves for requests; None without a budget. `notes` are sentences about the choice of variants.
    """

    targets: Sequence[Target]
    session: Session | None = None
    variants: Sequence[FunctionSpec] = ()
    requests_usd: Decimal | None = None
    notes: Sequence[str] = ()


def offer_removal(*, yes: bool) -> None:
    """Offer to remove the resources that an interrupted comparison has left."""
    if not RECORD.exists():  # looking inside needs slow imports
        return
    from adapters.deployment.session import Session

    session = Session(say=log)
    left = session.orphaned()
    if left is None:
        return
    resources = f"{len(left.entries)} resource(s) of {left.deployment.name}"
    what = f"{resources}, from an interrupted run, may exist and cost money"
    if yes or (sys.stdin.isatty() and click.confirm(f"{what}. Remove them now?", err=True)):
        session.destroy()
        log("nothing is left")
    else:
        log(f"{what}: `tripoint deploy destroy` removes them")


def plan_measurement(options: MeasurementOptions, load_of: LoadOf, variants_of: VariantsOf) -> MeasurementPlan | None:
    """Plan a measurement of real clouds and ask for consent; return None when local clouds are measured.

    `load_of` returns the load of given targets, `variants_of` the variants to deploy and sentences about them.
    Raises UsageError, CommandRefused.
    """
    if options.deploy and options.targets:
        raise click.UsageError("--deploy and --targets do not go together: --deploy measures what it makes")
    if options.deploy:
        return _to_deploy(options, load_of, variants_of)
    return _to_measure(options, options.targets, load_of) if options.targets else None


def _to_deploy(options: MeasurementOptions, load_of: LoadOf, variants_of: VariantsOf) -> MeasurementPlan:
    from cli.measurement.deployment import DeployOptions, account_notes, session_of
    from cli.measurement.deployment_cost import hours_of, standing_usd

    variants, notes = variants_of()
    for line in account_notes(variants):  # before anything is asked
        log(f"note    {line}")
    session = replace(session_of(DeployOptions(hours=options.hours)), say=log)  # standard output is for the result
    for note in notes:
        log(f"note    {note}")
    for change in session.plan(variants):
        log(f"{change.action:7} {change.resource.cloud:6} {change.summary}")
    targets = [_planned(number, variant) for number, variant in enumerate(variants)]
    load = load_of(targets)
    standing = (standing_usd(variant, hours_of(session.life), renewals=load.renewals) for variant in variants)
    left_usd = confirm_cost(
        targets,
        load,
        budget_usd=options.budget_usd,
        standing_usd=sum(standing, Decimal(0)),
        yes=options.yes,
        question="Deploy this, measure it, and remove it?",
    )
    return MeasurementPlan(targets, session, variants, left_usd, notes)


def _planned(number: int, variant: FunctionSpec) -> Target:
    """Return a variant that is not deployed yet as a target, to price its requests."""
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


def _to_measure(options: MeasurementOptions, source: str, load_of: LoadOf) -> MeasurementPlan:
    targets, session = read_given(source)
    if not session and all(map(_is_here, targets)):
        return MeasurementPlan(targets, requests_usd=options.budget_usd)
    load = load_of(targets)
    if session:
        _refuse_cut_off(session)
    standing_usd = _standing_usd(session, renewals=load.renewals) if session else Decimal(0)
    if options.budget is not None and not session:
        _refuse_unknown_life(targets)
    left_usd = confirm_cost(
        targets,
        load,
        budget_usd=options.budget_usd,
        standing_usd=standing_usd,
        yes=options.yes,
        question="Send this load?",
    )
    return MeasurementPlan(targets, session, (), left_usd)


def read_given(source: str) -> tuple[Sequence[Target], Session | None]:
    """Return the targets that --targets names, and the session of those that `tripoint deploy` made.

    Raises UsageError, TargetsError.
    """
    from adapters.deployment.session import Session
    from loadtests.cost.gateway import check_gateways
    from loadtests.plan.targets import read_targets

    path = _targets_file(source)
    targets = read_targets(path)
    check_gateways(targets)
    return targets, Session(folder=path.parent, say=log) if (path.parent / RECORD.name).exists() else None


def _targets_file(source: str) -> Path:
    """Return the file of targets that --targets names. Raises UsageError when there is none."""
    from adapters.deployment.targets import TARGETS

    path = RECORD.with_name(TARGETS) if source == DEPLOYED else Path(source)
    if not path.is_file():
        advice = (
            "`tripoint deploy apply` makes it" if source == DEPLOYED else f"give a file of targets, or {DEPLOYED!r}"
        )
        raise click.UsageError(f"--targets: there is no {path}: {advice}")
    return path


def _refuse_cut_off(session: Session) -> None:
    """Raise CommandRefused for a resource that was changed in part: it may differ from its target's description."""
    for entry in session.recorded().entries.values():
        if entry.fingerprint is None:
            what = f"{entry.resource.kind} {entry.resource.name}"
            raise CommandRefused(
                f"{what} was interrupted while it was made or changed: `tripoint deploy apply` finishes it"
            )


def _refuse_unknown_life(targets: Sequence[Target]) -> None:
    """Raise CommandRefused for a target whose number of instances, and so its highest cost, is unknown."""
    from loadtests.cost import PlanError, load_plan

    for target in targets:
        with suppress(PlanError, LookupError):  # a target without a plan has no price, which is refused elsewhere
            if load_plan(target.cloud, target.plan).bills_instance_lifetime:
                raise CommandRefused(
                    f"--budget: target {target.name!r} bills an instance's whole life, and Tripoint knows the highest"
                    " number of instances only for its own deployments: leave --budget out"
                )


def _is_here(target: Target) -> bool:
    """Whether a target runs on this machine, where it costs nothing."""
    return target.control is not None or urlsplit(target.url).hostname in {"127.0.0.1", "::1", "localhost"}


def _standing_usd(session: Session, *, renewals: int) -> Decimal:
    """Return the most that always-on instances cost until the deployment's time to live ends, without requests."""
    from datetime import UTC, datetime, timedelta

    from cli.measurement.deployment_cost import hours_of, standing_usd

    left = max(session.recorded().deployment.expires - datetime.now(UTC), timedelta(0))
    variants = [endpoint.variant for endpoint in session.endpoints()]
    return sum((standing_usd(variant, hours_of(left), renewals=renewals) for variant in variants), Decimal(0))
