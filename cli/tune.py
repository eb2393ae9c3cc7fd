"""`tripoint tune`: measure memory sizes of all clouds in one interleaved run, and say which one to take."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli._settings import is_typed, settings_note
from cli.compare import images_in, run_id, samples_of, target_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cli._display import Display
    from loadtests.launch import Progress
    from loadtests.summary import Summary
    from loadtests.targets import Target
    from loadtests.tuning_load import Load, Timing
    from loadtests.tuning_settings import Offer, Trial, Wish

_EPILOG = "Example: tripoint tune --memory 512,1024,1769 --strategy cost"
_FOLDER = click.Path(path_type=Path, file_okay=False)
_LOCAL_ONLY = ("clouds", "memory", "concurrency", "architecture")
_OVERHEAD_S = 45.0  # of a run's time: local clouds' start and end, probes, statistics


@click.command(epilog=_EPILOG)
@click.option("--clouds", help="Some of the local clouds, such as aws,gcp.  [default: all]")
@click.option("--memory", help="Memory sizes in MB, such as 512,1024,1769.  [default: each cloud's usual ones]")
@click.option("--concurrency", help="Requests that an instance serves at once, such as 1,4.  [default: each plan's]")
@click.option("--architecture", help="x86_64, arm64, or both; a local cloud has this machine's alone.")
@click.option("--strategy", type=click.Choice(["cost", "speed", "balanced"]), default="balanced", show_default=True)
@click.option(
    "--targets", type=click.Path(path_type=Path, exists=True), help="Measure the URLs of this file instead."
)
@click.option(
    "--images",
    type=_FOLDER,
    help="A folder of photographs, or of JSON with features.  [default: the model's or the built-in samples]",
)
@click.option("--model", default="clothes", show_default=True, help="A model's name, or its folder.")
@click.option(
    "--minutes", type=click.FloatRange(min=0.5), default=4.0, show_default=True, help="The load is fitted to it."
)
@click.option("--seed", default=1, show_default=True, help="Decides the order of requests.")
@click.option("--out", type=_FOLDER, help="The run's folder.  [default: runs/<date and time>]")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**asked: Any) -> None:
    """Which memory size, on which cloud? The frontier of cost against speed, and what to take, with how sure it is.

    One run interleaves all settings: rounds of a cold start and some warm requests for each. The strategy "cost"
    takes the lowest cost per million requests, "speed" the lowest warm p95, "balanced" their lowest product.
    """
    from cli._display import Display

    folder = asked["out"] or Path("runs") / run_id()
    if (folder / "samples.sqlite").exists():
        raise click.UsageError(f"{folder} holds a run already: choose another --out")
    with Display(quiet=asked["quiet"]) as display:
        summary = _measure(folder, asked, display)
    _print(folder, summary, as_json=asked["as_json"])


@dataclass(frozen=True, slots=True)
class _Sweep:
    """What is measured, how long a new instance is left to settle, and what is to be said of it."""

    targets: Sequence[Target]
    settle_s: float
    notes: Sequence[str]


def _measure(folder: Path, asked: dict[str, Any], display: Display) -> Summary:
    from loadtests import launch, report

    images = images_in(asked["images"] or samples_of(asked["model"]))
    with _sweep(asked, display) as sweep:
        timings, unfit = _preflight(sweep, images, display)
        targets = [target for target in sweep.targets if target.name in timings]
        load = _fit(timings, targets, minutes=asked["minutes"], settle_s=sweep.settle_s)
        plan = launch.RunPlan(
            folder,
            targets,
            images,
            scenario=str(_write_scenario(folder, load)),
            seed=asked["seed"],
            notes=_notes(asked["strategy"], [*sweep.notes, *unfit]),
            settings={"rate": f"{load.rate:g}"},
        )
        ended = launch.run(plan, on_progress=lambda progress: _show(display, progress, load))
    if ended.exit_code:
        raise RuntimeError(ended.message)
    display.show("statistics and cost", 0, 1)
    summary = report.summarise_run(folder)
    report.write(folder, summary)
    display.show("statistics and cost", 1, 1)
    return summary


def _preflight(sweep: _Sweep, images: Path, display: Display) -> tuple[Mapping[str, Timing], list[str]]:
    """Ask each target a few times; those that do not classify are left out. Raises RuntimeError when none does."""
    from loadtests.pictures import read_pictures
    from loadtests.tuning_preflight import preflight

    total = len(sweep.targets)
    display.show("try each setting", 0, total)
    timings, unfit = preflight(
        sweep.targets, read_pictures(images), done=lambda n: display.show("try each setting", n, total)
    )
    if not timings:
        raise RuntimeError(f"no setting works: {'; '.join(unfit)}")
    return timings, unfit


def _fit(timings: Mapping[str, Timing], targets: Sequence[Target], *, minutes: float, settle_s: float) -> Load:
    from loadtests.tuning_load import fit

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    forced = any(target.control for target in targets)
    return fit(timings, budget_s=minutes * 60 - _OVERHEAD_S, cpus=cpus, settle_s=settle_s, forced=forced)


def _write_scenario(folder: Path, load: Load) -> Path:
    """The load is kept beside the run, so that it can be sent again."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "tune.toml"
    path.write_text(load.scenario(), encoding="utf-8")
    return path


def _notes(strategy: str, notes: Sequence[str]) -> dict[str, str]:
    from loadtests.tuning import NOTES_NOTE, STRATEGY_NOTE

    typed = f"tripoint {shlex.join(sys.argv[1:])}"
    settings = settings_note(click.get_current_context())
    return {"command": typed, **settings, STRATEGY_NOTE: strategy, NOTES_NOTE: "\n".join(notes)}


def _show(display: Display, progress: Progress, load: Load) -> None:
    """One bar for all rounds; a round counts when the next one begins."""
    name, _, part = progress.phase.partition(": ")
    if not part:
        display.show_load(progress)
        return
    number = int(name.removeprefix("round "))
    over = part == "warm" and progress.done >= progress.total
    done = number if over else number - 1
    display.show("rounds", done, load.rounds, left_s=(load.rounds - done) * load.round_s)


@contextmanager
def _sweep(asked: dict[str, Any], display: Display) -> Iterator[_Sweep]:
    """The targets of a file as they are, or a local cloud for every setting, for as long as they are measured."""
    if asked["targets"]:
        from loadtests.targets import read_targets

        if given := [f"--{name}" for name in _LOCAL_ONLY if asked[name] and is_typed(name)]:
            raise click.UsageError(f"{', '.join(given)} and --targets exclude each other: each target has its own")
        yield _Sweep(read_targets(asked["targets"]), 0.0, ())
        return
    from adapters.emulator import clouds, options
    from loadtests.tuning_settings import trials

    offers = _offers(asked["clouds"])
    wanted, notes = trials(offers, _wish(asked), machine=_machine() if asked["architecture"] else None)
    display.show("start local clouds", 0, len(wanted))
    targets: list[Target] = []
    with ExitStack() as running:
        for alike in _alike(wanted):
            size = options.Options(
                model=asked["model"], memory_mb=alike[0].memory_mb, concurrency=alike[0].concurrency
            )
            started = running.enter_context(clouds.start([trial.cloud for trial in alike], size))
            targets += [_target(trial, started[trial.cloud]) for trial in alike]
            display.show("start local clouds", len(targets), len(wanted))
        yield _Sweep(targets, _settle_s(offers), notes)


def _offers(names: str | None) -> list[Offer]:
    """What each cloud offers. Raises LookupError for one that is not known."""
    from adapters import contract
    from loadtests.cost.plans import load_plan
    from loadtests.tuning_settings import Offer

    found = []
    for name in names.split(",") if names else contract.clouds():
        data = contract.load(name).data
        architectures = load_plan(name, data["platform"]["plan"]).architectures
        found.append(Offer(name, data["memory"], data["platform"], architectures))
    return found


def _wish(asked: dict[str, Any]) -> Wish:
    from loadtests.tuning_settings import Wish

    architectures = asked["architecture"]
    return Wish(
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


def _alike(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials that local clouds can start together: of one size and concurrency, each of another cloud."""
    groups: dict[tuple[int, int, str], list[Trial]] = {}
    for trial in trials:
        groups.setdefault((trial.memory_mb, trial.concurrency, trial.architecture), []).append(trial)
    return list(groups.values())


def _target(trial: Trial, local: Any) -> Target:
    return replace(target_of(local), name=trial.name, architecture=trial.architecture)


def _settle_s(offers: Sequence[Offer]) -> float:
    """How long a cloud gives a new instance more processor time than its size has; the longest of them."""
    boosts = (offer.memory.get("boost") for offer in offers)
    return max((float(boost["after_ready_s"]) for boost in boosts if boost), default=0.0)


def _print(folder: Path, summary: Summary, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(summary.document(), indent=2, ensure_ascii=False))
        return
    from rich.console import Console

    from loadtests.checks import failed
    from loadtests.terminal import check_table
    from loadtests.tuning_table import tuning_table
    from loadtests.tuning_text import sentences

    console = Console(highlight=False)
    for caveat in summary.caveats:
        console.print(caveat, style="yellow", markup=False)
    if summary.tuning is not None:
        console.print(tuning_table(summary.tuning))
        for sentence in sentences(summary.tuning):
            console.print(f"- {sentence}", markup=False)
    if wrong := failed(summary.checks):
        console.print(check_table(wrong))
    console.print(
        f"Saved: {folder}/ (report.html for a browser; report.md, summary.json, every raw sample)", markup=False
    )
