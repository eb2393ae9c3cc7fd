"""`tripoint compare`: measure all clouds in one interleaved run, and print what it shows."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.settings import settings_note
from cli.measurement.local_targets import images_in, run_id, samples_of
from cli.measurement.platform_reports import report_wait

if TYPE_CHECKING:
    from cli.framework.progress import Display
    from cli.measurement.options import CompareOptions
    from cli.measurement.ready_targets import ReadyTargets
    from cli.measurement.real_clouds import MeasurementPlan
    from cli.measurement.versions import Version
    from loadtests.analysis.summary import Summary
    from loadtests.launch import RunRequest
    from loadtests.plan.scenarios import Scenario

_EPILOG = "Example: tripoint compare --images ~/photos --memory 1024"
_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command(epilog=_EPILOG)
@click.option("--clouds", help="Some of the local clouds, such as aws,gcp.  [default: all]")
@click.option(
    "--targets", metavar="FILE", help="Measure the URLs of this file, or `deployed`: what `tripoint deploy` made."
)
@click.option(
    "--deploy", metavar="CLOUDS", help="Deploy to these real clouds, such as aws,gcp; measure; remove it all."
)
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), help="In USD; the run ends before it costs more."
)
@click.option(
    "--hours", type=click.FloatRange(min=0.1), help="With --deploy: time to live, for `sweep`.  [default: 4]"
)
@click.option("--yes", is_flag=True, help="Do not ask before what costs money.")
@report_wait
@click.option(
    "--images",
    type=_FOLDER,
    help="A folder of photographs, or of JSON with features.  [default: the model's or the built-in samples]",
)
@click.option("--model", default="clothes", show_default=True, help="A model's name, or its folder.")
@click.option("--memory", type=click.IntRange(min=1), help="Memory size in MB.  [default: each cloud's own]")
@click.option(
    "--scenario", default="quick", show_default=True, help="smoke, quick, cold, full, stress, closed, or a file."
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Requests per second and target.  [default: found by a probe]",
)
@click.option(
    "--precision",
    type=click.FloatRange(min=0, min_open=True),
    help="Stop when every p95 is known to this fraction, such as 0.1.",
)
@click.option(
    "--against",
    metavar="VERSION",
    help="Measure another version too, in the same run: a commit, a bundle, or a model. Exit code 1: a regression.",
)
@click.option(
    "--threshold",
    default=5.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="With --against: percent that a regression exceeds.",
)
@click.option(
    "--estimate/--no-estimate",
    default=True,
    show_default=True,
    help="Measure an empty function beside each local cloud, and say what to expect on the real ones.",
)
@click.option("--seed", default=1, show_default=True, help="Decides the order of requests.")
@click.option("--workers", default=1, show_default=True, help="Locust processes that send the load.")
@click.option("--out", type=_FOLDER, help="The run's folder.  [default: runs/<date and time>]")
@click.option("--resume", is_flag=True, help="Continue the interrupted run in --out.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**values: Any) -> None:
    """Compare the clouds: cold start, warm latency, errors, cost per million requests, each with its interval."""
    from cli.framework.progress import Display
    from cli.measurement.confirmation import PlannedLoad
    from cli.measurement.options import CompareOptions
    from cli.measurement.real_clouds import offer_removal, plan_measurement
    from cli.measurement.variants import variants_to_compare

    options = CompareOptions(**values)
    if options.against is not None and (options.targets or options.deploy):
        raise click.UsageError("--against measures local clouds: leave out --targets and --deploy")
    folder = _folder(options.out, resume=options.resume)
    scenario = _scenario(options.scenario)
    offer_removal(yes=options.yes)
    plan = plan_measurement(
        options,
        lambda targets: PlannedLoad(scenario.phases(options.rate or scenario.rate_max)),
        lambda: (
            variants_to_compare(options.deployed_clouds, model=options.model, memory_mb=options.memory),
            (),
        ),
    )
    try:
        with Display(quiet=options.quiet) as display:
            summary = _measure(folder, options, scenario, plan, display)
    except KeyboardInterrupt:
        if (folder / "samples.sqlite").exists():
            click.echo(f"kept in {folder}: continue with the same command and --out {folder} --resume", err=True)
        raise
    _print(folder, summary, as_json=options.as_json)
    if any(each.regression for each in summary.changes or ()):
        sys.exit(1)


def _scenario(name: str) -> Scenario:
    """Return the scenario of that name or file. Raises UsageError."""
    from loadtests.plan.scenarios import ScenarioError, find

    try:
        return find(name)
    except ScenarioError as error:
        raise click.UsageError(str(error)) from error


def _folder(out: Path | None, *, resume: bool) -> Path:
    """Return the run's folder: a new one, or that of the interrupted run to resume. Raises UsageError."""
    if resume and out is None:
        raise click.UsageError("--resume needs --out: the folder of the run to continue")
    folder = out or Path("runs") / run_id()
    exists = (folder / "samples.sqlite").exists()
    if resume and not exists:
        raise click.UsageError(f"{folder} holds no run to continue: leave out --resume to start one")
    if exists and not resume:
        raise click.UsageError(f"{folder} holds a run already: choose another --out, or continue it with --resume")
    return folder


def _measure(
    folder: Path, options: CompareOptions, scenario: Scenario, plan: MeasurementPlan | None, display: Display
) -> Summary:
    from cli.measurement.execution import execute, summarise_and_write
    from cli.measurement.ready_targets import local_clouds, ready_targets

    images = images_in(options.images or samples_of(options.model))
    with ExitStack() as opened:
        other = _other_version(options, opened)
        if plan is not None:
            ready = opened.enter_context(ready_targets(plan, display))
        else:
            size_mb = options.memory
            beside_empty = options.estimate and other is None and scenario.shows_cold_starts
            clouds = local_clouds(
                options.local_clouds,
                display,
                model=options.model,
                memory_mb=size_mb,
                against=other,
                beside_empty=beside_empty,
            )
            ready = opened.enter_context(clouds)
        budget_usd = plan.requests_usd if plan is not None else options.budget_usd
        request = _run_request(folder, options, ready, images=images, budget_usd=budget_usd, against=other)
        execute(request, display, ready.source, wait_s=options.report_wait, live=True)
    return summarise_and_write(folder, display)


def _other_version(options: CompareOptions, opened: ExitStack) -> Version | None:
    """Return the version that --against names, which stays on disk until `opened` is closed."""
    if options.against is None:
        return None
    from cli.measurement.versions import other_version

    return opened.enter_context(other_version(options.against, model=options.model))


def _run_request(
    folder: Path,
    options: CompareOptions,
    ready: ReadyTargets,
    *,
    images: Path,
    budget_usd: Decimal | None,
    against: Version | None,
) -> RunRequest:
    from loadtests.analysis.against import NOTE, THRESHOLD_NOTE
    from loadtests.launch import RunRequest

    settings = {"rate": options.rate or None, "precision": options.precision or None, "budget-usd": budget_usd}
    return RunRequest(
        folder,
        ready.targets,
        images,
        scenario=options.scenario,
        seed=options.seed,
        workers=options.workers,
        resume=options.resume,
        notes={
            "command": f"tripoint {shlex.join(sys.argv[1:])}",
            **settings_note(click.get_current_context()),
            **({} if against is None else {NOTE: against.label, THRESHOLD_NOTE: f"{options.threshold / 100:g}"}),
        },
        settings={name: str(value) for name, value in settings.items() if value is not None},
        credentials=ready.credentials,
    )


def _print(folder: Path, summary: Summary, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary.document(), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from loadtests.report.terminal import print_summary

    console = Console(highlight=False)
    print_summary(console, summary)
    console.print(
        f"Saved: {folder}/ (report.html for a browser; report.md, summary.json, every raw sample)", markup=False
    )
