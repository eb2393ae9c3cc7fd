"""`tripoint compare`: start the local clouds, load them in one interleaved run, say what was shown."""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.settings import settings_note
from cli.measurement.local_targets import images_in, run_id, samples_of, target_of
from cli.measurement.platform_reports import report_wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.framework.progress import Display
    from cli.measurement.confirmation import PlannedLoad
    from cli.measurement.real_clouds import MeasurementPlan, ReadyTargets
    from loadtests.analysis.summary import Summary

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
@click.option("--budget", type=click.FloatRange(min=0, min_open=True), help="USD; the run ends before it is passed.")
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
    "--rate", type=click.FloatRange(min=0, min_open=True), help="Per target and second.  [default: by a probe]"
)
@click.option(
    "--precision", type=click.FloatRange(min=0, min_open=True), help="Stop when every p95 is known within it."
)
@click.option("--seed", default=1, show_default=True, help="Decides the order of requests.")
@click.option("--workers", default=1, show_default=True, help="Locust processes that send the load.")
@click.option("--out", type=_FOLDER, help="The run's folder.  [default: runs/<date and time>]")
@click.option("--resume", is_flag=True, help="Go on with the run in --out where it was interrupted.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**asked: Any) -> None:
    """Compare the clouds: cold start, warm latency, errors, cost per million requests, each with its interval."""
    from cli.framework.progress import Display
    from cli.measurement.real_clouds import offer_removal, plan_measurement
    from cli.measurement.variants import variants_to_compare
    from loadtests.plan.scenarios import ScenarioError, find

    folder = _folder(asked["out"], resume=asked["resume"])
    try:
        find(asked["scenario"])
    except ScenarioError as error:
        raise click.UsageError(str(error)) from error
    offer_removal(yes=asked["yes"])
    course = plan_measurement(asked, lambda targets: _sending(asked), variants_to_compare)
    try:
        with Display(quiet=asked["quiet"]) as display:
            summary = _measure(folder, asked, display, course=course)
    except KeyboardInterrupt:
        if (folder / "samples.sqlite").exists():
            click.echo(f"kept in {folder}: go on with the same command and --out {folder} --resume", err=True)
        raise
    _print(folder, summary, as_json=asked["as_json"])


def _sending(asked: dict[str, Any]) -> PlannedLoad:
    from cli.measurement.confirmation import PlannedLoad
    from loadtests.plan.scenarios import find

    scenario = find(asked["scenario"])
    return PlannedLoad(scenario.phases(asked["rate"] or scenario.rate_max))


def _folder(out: Path | None, *, resume: bool) -> Path:
    """Where the run goes: a new folder, unless an interrupted run is to go on."""
    if resume and out is None:
        raise click.UsageError("--resume needs --out: the folder of the run to go on with")
    folder = out or Path("runs") / run_id()
    exists = (folder / "samples.sqlite").exists()
    if resume and not exists:
        raise click.UsageError(f"{folder} holds no run to go on with: leave out --resume to start one")
    if exists and not resume:
        raise click.UsageError(f"{folder} holds a run already: choose another --out, or go on with it with --resume")
    return folder


def _measure(folder: Path, asked: dict[str, Any], display: Display, *, course: MeasurementPlan | None) -> Summary:
    from cli.measurement.execution import ReportFetching, execute, summarise_and_write
    from loadtests.launch import RunRequest

    images = images_in(asked["images"] or samples_of(asked["model"]))
    notes = {"command": f"tripoint {shlex.join(sys.argv[1:])}", **settings_note(click.get_current_context())}
    with _opened(asked, display, course=course) as found:
        chosen = {name: asked[name] for name in ("scenario", "seed", "workers", "resume")}
        settings = {name: str(asked[name]) for name in ("rate", "precision") if asked[name]}
        budget = course.requests_usd if course else asked["budget"]
        settings |= {"budget-usd": str(budget)} if budget is not None else {}
        plan = RunRequest(
            folder, found.targets, images, notes=notes, settings=settings, porter=found.credentials, **chosen
        )
        execute(plan, display, ReportFetching(found.source, asked["report_wait"]), live=True)
    return summarise_and_write(folder, display)


@contextmanager
def _opened(asked: dict[str, Any], display: Display, *, course: MeasurementPlan | None) -> Iterator[ReadyTargets]:
    """What is measured, and who opens it: real clouds, or local ones for as long as they are measured."""
    from cli.measurement.real_clouds import ReadyTargets, ready_targets

    if course is not None:
        with ready_targets(course, display) as found:
            yield found
        return
    from adapters import contract
    from adapters.emulator import clouds, options

    names = asked["clouds"].split(",") if asked["clouds"] else list(contract.clouds())
    for name in names:
        contract.load(name)
    display.show("start local clouds", 0, len(names))
    wanted = options.EmulatorOptions(model=asked["model"], memory_mb=asked["memory"])
    with clouds.start(names, wanted) as running:
        display.show("start local clouds", len(names), len(names))
        yield ReadyTargets([target_of(local) for local in running.values()])


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
