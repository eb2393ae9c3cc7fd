"""A load test from its start to its reports, as `compare` and `tune` both carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.framework.refusal import CommandRefused
from cli.measurement.confirmation import log
from cli.measurement.platform_reports import WAIT_S, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from adapters.deployment.platform_reports import Reporter
    from cli.framework.progress import Display
    from loadtests.analysis.summary import Summary
    from loadtests.launch import RunProgress, RunRequest
    from loadtests.record.platform_reports import ReportSource


@dataclass(frozen=True, slots=True)
class ReportFetching:
    """Whom to ask for the platform's own lines once the load has ended, and for how long."""

    source: ReportSource | None = None
    wait_s: float = WAIT_S


def execute(
    plan: RunRequest,
    display: Display,
    afterwards: ReportFetching,
    *,
    on_progress: Callable[[RunProgress], None] | None = None,
    live: bool = False,
) -> None:
    """Send the load, and read back what the platforms wrote about it.

    Raises RuntimeError saying why when its schedule did not end.
    """
    from loadtests import launch

    on_live = display.on_live if live else None
    ended = launch.run(plan, on_progress=on_progress or display.show_load, on_live=on_live)
    if ended.exit_code:
        raise RuntimeError(ended.message)
    read_lines(plan.run_dir, afterwards.source, display, wait_s=afterwards.wait_s)


def summarise_and_write(folder: Path, display: Display) -> Summary:
    """Statistics and cost of a run that has ended, written beside it."""
    from loadtests.report import build

    display.show("statistics and cost", 0, 1)
    summary = build.summarise_run(folder)
    build.write_reports(folder, summary)
    display.show("statistics and cost", 1, 1)
    return summary


def read_later(run: Path, *, wait_s: float, quiet: bool) -> None:
    """Read the lines of a run that ended before they came, and cost it again. Raises Refusal and DeployError."""
    from adapters.deployment.platform_reports import Reporter
    from adapters.deployment.session import Session
    from cli.framework.progress import Display

    reporter = Reporter(Session(say=log))
    _refuse_other(run, reporter)
    with Display(quiet=quiet) as display:
        found = read_lines(run, reporter, display, wait_s=wait_s)
        if found is None:
            log("lines   no answer of this run waits for one")
            return
        summarise_and_write(run, display)


def _refuse_other(run: Path, reporter: Reporter) -> None:
    """Raise Refusal unless the run measured something that is deployed from this folder."""
    from loadtests.record.run_data import read_run

    measured = {target.name: target.url for target in read_run(run).targets}
    if not any(reporter.url(name) == measured.get(name) for name in reporter.targets):
        there = ", ".join(f"{name} at {reporter.url(name)}" for name in reporter.targets) or "nothing"
        raise CommandRefused(
            f"{run} measured {', '.join(measured.values())}, and deployed from this folder is {there}: go to the "
            "folder of its deployment; a deployment that was removed took its lines with it"
        )
