"""Carry out a load test, from its start to its reports, for `compare` and `tune`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from cli.framework.refusal import CommandRefused
from cli.measurement.confirmation import log
from cli.measurement.platform_reports import read_lines

if TYPE_CHECKING:
    from adapters.deployment.deployed_targets import DeployedTargets
    from cli.framework.progress import Display
    from loadtests.analysis.summary import Summary
    from loadtests.launch import RunProgress, RunRequest
    from loadtests.record.platform_reports import ReportSource


def execute(
    request: RunRequest,
    display: Display,
    source: ReportSource | None,
    *,
    wait_s: float,
    on_progress: Callable[[RunProgress], None] | None = None,
    live: bool = False,
) -> None:
    """Send the load, then wait up to `wait_s` for the platforms' own lines from `source`.

    Raises RuntimeError with the reason when the schedule did not end.
    """
    from loadtests import launch

    _tell_missing_prices(request)
    on_live = display.on_live if live else None
    ended = launch.run(request, on_progress=on_progress or display.show_load, on_live=on_live)
    if ended.exit_code:
        raise RuntimeError(ended.message)
    read_lines(request.run_dir, source, display, wait_s=wait_s)


def _tell_missing_prices(request: RunRequest) -> None:
    """Say before the load is sent which targets will have no cost, and why."""
    from loadtests.cost.tariff import without_price
    from loadtests.prices.library import open_book

    for name, reason in without_price(request.targets, open_book()).items():
        log(f"note    {name} will have no cost: {reason}; see `tripoint prices`")


def summarise_and_write(folder: Path, display: Display) -> Summary:
    """Compute the statistics and cost of a run that has ended, and write its reports."""
    from loadtests.report import build

    display.show("statistics and cost", 0, 1)
    summary = build.report_run(folder)
    display.show("statistics and cost", 1, 1)
    return summary


def read_later(run: Path, *, wait_s: float, quiet: bool) -> None:
    """Read platform lines that came after the run, and cost the run again. Raises CommandRefused, DeployError."""
    from adapters.deployment.deployed_targets import DeployedTargets
    from adapters.deployment.session import Session
    from cli.framework.progress import Display

    reporter = DeployedTargets(Session(say=log))
    _refuse_other(run, reporter)
    with Display(quiet=quiet) as display:
        if read_lines(run, reporter, display, wait_s=wait_s) is None:
            log("lines   every response of this run has its line already")
            return
        summarise_and_write(run, display)


def _refuse_other(run: Path, reporter: DeployedTargets) -> None:
    """Raise CommandRefused unless the run measured something that is deployed from this folder."""
    from loadtests.record.run_data import read_run

    measured = {target.name: target.url for target in read_run(run).targets}
    if not any(reporter.url(name) == measured.get(name) for name in reporter.targets):
        deployed = ", ".join(f"{name} at {reporter.url(name)}" for name in reporter.targets) or "nothing"
        raise CommandRefused(
            f"{run} measured {', '.join(measured.values())}, but deployed from this folder is {deployed}: run this "
            "in the folder of its deployment; the lines of a removed deployment are gone with it"
        )
