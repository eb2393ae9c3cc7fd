"""`tripoint tune`: measure memory sizes of all clouds in one interleaved run, and say which one to take."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.settings import settings_note
from cli.measurement.local_targets import images_in, run_id, samples_of
from cli.measurement.platform_reports import report_wait

if TYPE_CHECKING:
    from cli.framework.progress import Display
    from cli.measurement.confirmation import PlannedLoad
    from cli.measurement.options import TuneOptions
    from cli.measurement.ready_targets import ReadyTargets
    from cli.measurement.real_clouds import MeasurementPlan
    from loadtests.analysis.summary import Summary
    from loadtests.cost.budget import Budget
    from loadtests.launch import RunProgress, RunRequest
    from loadtests.plan.sweep_grid import SweepRequest
    from loadtests.plan.sweep_load import SweepLoad, Timing
    from loadtests.plan.targets import Target

_EPILOG = "Example: tripoint tune --memory 512,1024,1769 --strategy cost"
_FOLDER = click.Path(path_type=Path, file_okay=False)
_OVERHEAD_S = 45.0  # of a run's time: local clouds' start and end, probes, statistics


@click.command(epilog=_EPILOG)
@click.option("--clouds", help="Some of the local clouds, such as aws,gcp.  [default: all]")
@click.option("--memory", help="Memory sizes in MB, such as 512,1024,1769.  [default: each cloud's usual ones]")
@click.option("--concurrency", help="Requests that an instance serves at once, such as 1,4.  [default: each plan's]")
@click.option("--architecture", help="x86_64, arm64, or both; a local cloud has this machine's alone.")
@click.option("--python", help="Python versions, such as 3.12,3.13; local clouds run those that are set up here.")
@click.option("--strategy", type=click.Choice(["cost", "speed", "balanced"]), default="balanced", show_default=True)
@click.option(
    "--targets", metavar="FILE", help="Measure the URLs of this file, or `deployed`: what `tripoint deploy` made."
)
@click.option(
    "--deploy",
    metavar="CLOUDS",
    help="Deploy the sizes to these real clouds, such as aws,gcp; measure; remove it all.",
)
@click.option(
    "--hours", type=click.FloatRange(min=0.1), help="With --deploy: time to live, for `sweep`.  [default: 4]"
)
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True), help="In USD; the sweep ends before it costs more."
)
@click.option("--yes", is_flag=True, help="Do not ask before what costs money.")
@report_wait
@click.option(
    "--images",
    type=_FOLDER,
    help="A folder of photographs, or of JSON with features.  [default: the model's or the built-in samples]",
)
@click.option("--model", default="clothes", show_default=True, help="A model's name, or its folder.")
@click.option(
    "--minutes",
    type=click.FloatRange(min=0.5),
    default=4.0,
    show_default=True,
    help="Time of the run; the load is fitted to it.",
)
@click.option("--seed", default=1, show_default=True, help="Decides the order of requests.")
@click.option("--out", type=_FOLDER, help="The run's folder.  [default: runs/<date and time>]")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**values: Any) -> None:
    """Which memory size, on which cloud? The frontier of cost against speed, and what to take, with how sure it is.

    One run interleaves all settings: rounds of a cold start and some warm requests for each. The strategy "cost"
    takes the lowest cost per million requests, "speed" the lowest warm p95, "balanced" their lowest product.
    """
    from cli.framework.progress import Display
    from cli.measurement.options import TuneOptions
    from cli.measurement.real_clouds import offer_removal, plan_measurement
    from cli.measurement.sweep_targets import check_exclusions, sweep_request
    from cli.measurement.variants import variants_to_sweep

    options = TuneOptions(**values)
    folder = options.out or Path("runs") / run_id()
    if (folder / "samples.sqlite").exists():
        raise click.UsageError(f"{folder} holds a run already: choose another --out")
    check_exclusions(options)
    request = sweep_request(options.memory, options.concurrency, options.architecture, options.python)
    offer_removal(yes=options.yes)
    plan = plan_measurement(
        options,
        _largest_load,
        lambda: variants_to_sweep(options.deployed_clouds, request, model=options.model),
    )
    with Display(quiet=options.quiet) as display:
        summary = _measure(folder, options, request, plan, display)
    _print(folder, summary, as_json=options.as_json)


def _largest_load(targets: Sequence[Target]) -> PlannedLoad:
    """Return the most that is sent, whatever the preflight finds."""
    from cli.measurement.confirmation import PlannedLoad
    from cli.measurement.ready_targets import settling_s
    from loadtests.plan.sweep_load import largest
    from loadtests.run.preflight import REQUESTS

    load = largest(settling_s(target.cloud for target in targets))
    return PlannedLoad(load.phases(), tries=REQUESTS, bound=True)


def _measure(
    folder: Path, options: TuneOptions, request: SweepRequest, plan: MeasurementPlan | None, display: Display
) -> Summary:
    from cli.measurement.execution import execute, summarise_and_write
    from cli.measurement.preflight import budget_of
    from cli.measurement.ready_targets import ready_targets
    from cli.measurement.sweep_targets import local_sweep

    images = images_in(options.images or samples_of(options.model))
    with (
        ready_targets(plan, display)
        if plan is not None
        else local_sweep(options.local_clouds, request, display, model=options.model)
    ) as ready:
        budget = budget_of(ready.targets, plan.requests_usd if plan is not None else options.budget_usd)
        run, load = _fitted_run(folder, options, ready, display, images=images, budget=budget)
        execute(
            run,
            display,
            ready.source,
            wait_s=options.report_wait,
            on_progress=lambda progress: _show(display, progress, load),
        )
    return summarise_and_write(folder, display)


def _fitted_run(
    folder: Path, options: TuneOptions, ready: ReadyTargets, display: Display, *, images: Path, budget: Budget | None
) -> tuple[RunRequest, SweepLoad]:
    """Try each target, fit the load to the time that there is, and return the run with its load."""
    from cli.measurement.preflight import left_setting, spent_note, try_targets
    from loadtests.launch import RunRequest

    timings, left_out = try_targets(ready, images, display, budget=budget)
    load = _fit(timings, ready, minutes=options.minutes)
    run = RunRequest(
        folder,
        [target for target in ready.targets if target.name in timings],
        images,
        scenario=str(_write_scenario(folder, load)),
        seed=options.seed,
        notes=_notes(options.strategy, [*ready.notes, *left_out, *spent_note(budget)]),
        settings={"rate": f"{load.rate:g}", **left_setting(budget)},
        credentials=ready.credentials,
    )
    return run, load


def _fit(timings: Mapping[str, Timing], ready: ReadyTargets, *, minutes: float) -> SweepLoad:
    from core import cpu_count
    from loadtests.plan.sweep_load import fit

    budget_s = minutes * 60 - _OVERHEAD_S
    return fit(
        timings, budget_s=budget_s, cpus=cpu_count.count(), settle_s=ready.settle_s, forced=ready.can_force_cold_start
    )


def _write_scenario(folder: Path, load: SweepLoad) -> Path:
    """Write the load beside the run, so that it can be sent again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tune.toml"
    path.write_text(load.scenario(), encoding="utf-8")
    return path


def _notes(strategy: str, notes: Sequence[str]) -> dict[str, str]:
    from loadtests.analysis.sweep import NOTES_NOTE, STRATEGY_NOTE

    typed = f"tripoint {shlex.join(sys.argv[1:])}"
    settings = settings_note(click.get_current_context())
    return {"command": typed, **settings, STRATEGY_NOTE: strategy, NOTES_NOTE: "\n".join(notes)}


def _show(display: Display, progress: RunProgress, load: SweepLoad) -> None:
    """Draw one bar for all rounds; a round counts when the next one begins."""
    name, _, part = progress.phase.partition(": ")
    if not part:
        display.show_load(progress)
        return
    number = int(name.removeprefix("round "))
    over = part == "warm" and progress.done >= progress.total
    done = number if over else number - 1
    display.show("rounds", done, load.rounds, left_s=(load.rounds - done) * load.round_s)


def _print(folder: Path, summary: Summary, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary.document(), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from loadtests.analysis.checks import failed
    from loadtests.report.sweep import sentences, sweep_table
    from loadtests.report.terminal import check_table

    console = Console(highlight=False)
    for caveat in summary.caveats:
        console.print(caveat, style="yellow", markup=False)
    if summary.sweep is not None:
        console.print(sweep_table(summary.sweep))
        for sentence in sentences(summary.sweep):
            console.print(f"- {sentence}", markup=False)
    if wrong := failed(summary.checks):
        console.print(check_table(wrong))
    console.print(
        f"Saved: {folder}/ (report.html for a browser; report.md, summary.json, every raw sample)", markup=False
    )
