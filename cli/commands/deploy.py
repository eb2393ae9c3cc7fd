"""`tripoint deploy`: put the function on real clouds, see it, and take it away again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.refusal import CommandRefused
from cli.measurement.deployment import DeployOptions, session_of, variants_of

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.session import Session

_VARIANT_OPTIONS = (
    click.option("--memory", "memory_mb", type=click.IntRange(min=1), help="Memory size in MB."),
    click.option("--plan", help="A plan of the cloud, such as snapstart."),
    click.option("--region", help="The cloud's region.  [default: that of the price book]"),
    click.option("--arch", "architecture", type=click.Choice(["x86_64", "arm64"])),
    click.option("--python", help="Python version, such as 3.13."),
    click.option("--concurrency", type=click.IntRange(min=1), help="Requests at once in one instance."),
    click.option(
        "--max-instances", "maximum_instances", type=click.IntRange(min=1), help="Highest number of instances."
    ),
    click.option(
        "--reserved", "reserved_instances", type=click.IntRange(min=0), help="Instances that are always ready."
    ),
    click.option(
        "--access",
        type=click.Choice(["closed", "public"]),
        help="Protected by the cloud's authentication, or public.",
    ),
    click.option("--ingress", help="Google Cloud: all, internal or internal-and-gclb."),
    click.option("--cpu-boost/--no-cpu-boost", default=None, help="Google Cloud: more CPU while an instance starts."),
    click.option(
        "--front", type=click.Choice(["function-url", "http-api", "rest-api"]), help="How requests reach Lambda."
    ),
    click.option("--model", help="A model's name or folder."),
    click.option("--runtime", help="litert, litert-direct or tflite-runtime."),
    click.option(
        "--format", type=click.Choice(["zip", "image"]), help="image: built here, kept in ECR (aws).  [default: zip]"
    ),
)
_SESSION_OPTIONS = (
    click.option("--project", help="Prefix of every name, and a tag.  [default: tripoint]"),
    click.option("--owner", help="A tag.  [default: the user]"),
    click.option("--hours", type=click.FloatRange(min=0.1), help="Time to live, for `sweep`.  [default: 4]"),
)


def _with(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@click.group(epilog="Example: tripoint deploy plan aws gcp --memory 1024")
def command() -> None:
    """Put the function on real clouds: plan, apply, status, logs, destroy, sweep.

    Variants come from tripoint.toml, or are one for each CLOUD with the flags. Everything carries the project,
    its owner and a time to live in its name and tags; endpoints are protected by the cloud's own authentication.
    """


@command.command("plan", epilog="Example: tripoint deploy plan aws --memory 1024")
@click.argument("clouds", nargs=-1)
@_with(*_VARIANT_OPTIONS, *_SESSION_OPTIONS)
@click.option(
    "--requests", default=1000, show_default=True, help="Requests of the planned run, for its highest cost."
)
def plan(clouds: tuple[str, ...], requests: int, **values: Any) -> None:
    """Show what would exist, the rights it needs, and what it costs; the clouds are only read."""
    from adapters.deployment import provider as resources
    from adapters.deployment import session
    from cli.measurement.deployment import account_notes
    from cli.measurement.deployment_cost import highest_usd, hours_of, idle_usd_per_day

    options = DeployOptions(**values)
    variants, current = variants_of(clouds, options), session_of(options)
    hours = hours_of(current.life)
    lacking = session.missing(sorted({variant.cloud for variant in variants}))
    for change in current.plan(variants):
        click.echo(f"{change.action:7} {change.resource.cloud:6} {change.summary}")
    for variant in variants:
        idle, most = idle_usd_per_day(variant), highest_usd(variant, requests, hours)
        click.echo(
            f"cost    {variant.cloud:6} {variant.label}: idle {idle:.2f} USD a day; at most {most:.2f} USD for"
        )
        click.echo(f"               {requests} requests in {hours:g} h that all run into their limit (no free grant)")
    for cloud in sorted({variant.cloud for variant in variants} - set(lacking)):
        for line in account_notes([variant for variant in variants if variant.cloud == cloud]):
            click.echo(f"note    {line}")
        for line in resources.provider_of(cloud).permissions():
            click.echo(f"rights  {cloud:6} {line}")
    for line in lacking.values():
        click.echo(f"missing {line}")


@command.command("apply", epilog="Example: tripoint deploy apply aws gcp --memory 2048 --yes")
@click.argument("clouds", nargs=-1)
@_with(*_VARIANT_OPTIONS, *_SESSION_OPTIONS)
@click.option("--yes", is_flag=True, help="Do not ask.")
def apply(clouds: tuple[str, ...], yes: bool, **values: Any) -> None:
    """Deploy, step by step; run it again after an interruption, or to change only what differs."""
    from cli.measurement.real_clouds import offer_removal

    offer_removal(yes=yes)
    from cli.measurement.deployment import account_notes

    options = DeployOptions(**values)
    variants, current = variants_of(clouds, options), session_of(options)
    for line in account_notes(variants):  # before anything is asked or made
        click.echo(f"note    {line}")
    if not yes:
        _ask(variants, current)
    for endpoint in current.apply(variants):
        click.echo(f"{endpoint.variant.cloud}: {endpoint.url} ({endpoint.access})")
    click.echo("measure: tripoint compare --targets deployed --budget 1")
    click.echo("remove:  tripoint deploy destroy")


def _ask(variants: Sequence[FunctionSpec], current: Session) -> None:
    """Show what would be made and its idle cost, and ask. Raises CommandRefused, Abort."""
    from cli.measurement.deployment_cost import idle_usd_per_day

    for change in current.plan(variants):
        click.echo(f"{change.action:7} {change.resource.cloud:6} {change.summary}")
    for variant in variants:
        click.echo(f"cost    {variant.cloud:6} {variant.label}: idle {idle_usd_per_day(variant):.2f} USD a day")
    if not sys.stdin.isatty():
        raise CommandRefused("there is no terminal to ask on: add --yes")
    click.confirm("Make this? It costs money until `tripoint deploy destroy`", abort=True)


@command.command("status", epilog="Example: tripoint deploy status")
def status() -> None:
    """Show what is deployed from this folder, as recorded, and the URLs."""
    from adapters.deployment import state
    from adapters.deployment.session import Session

    recorded = state.read()
    if recorded is None:
        click.echo("nothing is deployed from this folder")
        return
    deployment = recorded.deployment
    click.echo(
        f"{deployment.name}, owner {deployment.owner}, may be swept after {deployment.expires:%Y-%m-%d %H:%M} UTC"
    )
    for entry in recorded.entries.values():
        made = "made" if entry.fingerprint else "cut off"
        click.echo(f"{made:8} {entry.resource.cloud:6} {entry.resource.kind:14} {entry.resource.name}")
    for endpoint in Session().endpoints():
        click.echo(f"{endpoint.variant.cloud}: {endpoint.url} ({endpoint.access})")


@command.command("logs", epilog="Example: tripoint deploy logs --limit 50")
@click.option("--limit", default=20, show_default=True, help="Lines for each variant.")
def logs(limit: int) -> None:
    """Show the last lines that the functions and their platforms wrote."""
    for variant, lines in session_of().logs(limit=limit):
        for line in lines:
            click.echo(f"{variant.cloud} {variant.label}: {line}")


@command.command("reports", epilog="Example: tripoint deploy reports runs/mine")
@click.argument("run")
@click.option("--wait", default=120.0, show_default=True, type=click.FloatRange(min=1), help="Seconds, at most.")
@click.option("--quiet", is_flag=True, help="No progress.")
def reports(run: str, wait: float, quiet: bool) -> None:
    """Read back what the platforms billed for the requests of RUN (a folder, or its name in runs/); cost it again.

    `compare` and `tune` do so at the end of a run; this is for lines that came later, or a run that was interrupted.
    """
    from cli.measurement.execution import read_later
    from cli.measurement.run_folders import named_run

    read_later(named_run(run, Path("runs")), wait_s=wait, quiet=quiet)


@command.command("destroy", epilog="Example: tripoint deploy destroy aws")
@click.argument("clouds", nargs=-1)
def destroy(clouds: tuple[str, ...]) -> None:
    """Remove everything that is recorded (of CLOUDS, or of all), and check by listing that nothing is left."""
    from adapters import contract

    for cloud in clouds:
        contract.load(cloud)
    session_of().destroy(clouds or None)
    click.echo("nothing is left")


@command.command("sweep", epilog="Example: tripoint deploy sweep aws --region eu-west-1")
@click.argument("clouds", nargs=-1, required=True)
@click.option("--region", "regions", multiple=True, help="Search this region.  [default: every one that there is]")
@click.option("--project", help="Only this project.  [default: tripoint]")
@click.option("--all", "everything", is_flag=True, help="Also remove what is not past its time to live.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def sweep(
    clouds: tuple[str, ...], regions: tuple[str, ...], *, everything: bool, yes: bool, project: str | None
) -> None:
    """Find what this project left in the accounts, also without a record, and remove what is past its time."""
    from adapters import contract

    for cloud in clouds:
        contract.load(cloud)
    if everything and not yes:
        click.confirm("Remove everything of this project, of every owner, whatever its time?", abort=True)
    removed = session_of(DeployOptions(project=project)).sweep(clouds, regions=regions, everything=everything)
    click.echo(f"{len(removed)} removed")
