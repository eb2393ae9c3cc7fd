"""Reading back what the platforms wrote about a run's requests: after a load test, or later by a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.framework.refusal import Refusal
from cli.measurement.confirmation import tell

if TYPE_CHECKING:
    from pathlib import Path

    from adapters.deployment.platform_reports import Reporter
    from cli.framework.progress import Display
    from loadtests.record.platform_reports import Readback, Source

WAIT_S = 120.0
report_wait = click.option(
    "--report-wait",
    type=click.FloatRange(min=0),
    default=WAIT_S,
    show_default=True,
    help="Real clouds: seconds to wait for the platform's own lines on what it billed; 0: do not ask.",
)
_PHASE = "the platform's own lines"


def read_lines(run: Path, source: Source | None, display: Display, *, wait_s: float) -> Readback | None:
    """Wait for the lines of a run for `wait_s` (0: do not ask), and say how many came; None when it can have none."""
    if source is None or not wait_s:
        return None
    from loadtests.record.platform_reports import read_back

    found = read_back(
        run,
        source,
        patience_s=wait_s,
        show=lambda done, total, left_s: display.show(_PHASE, done, total, left_s=left_s if done < total else None),
    )
    if found is not None:
        tell(f"lines   {found.sentence()}")
    return found


def read_later(run: Path, *, wait_s: float, quiet: bool) -> None:
    """Read the lines of a run that ended before they came, and cost it again. Raises Refusal and DeployError."""
    from adapters.deployment.platform_reports import Reporter
    from adapters.deployment.session import Session
    from cli.framework.progress import Display
    from cli.measurement.execution import conclude

    reporter = Reporter(Session(say=tell))
    _refuse_other(run, reporter)
    with Display(quiet=quiet) as display:
        found = read_lines(run, reporter, display, wait_s=wait_s)
        if found is None:
            tell("lines   no answer of this run waits for one")
            return
        conclude(run, display)


def _refuse_other(run: Path, reporter: Reporter) -> None:
    """Raise Refusal unless the run measured something that is deployed from this folder."""
    from loadtests.record.run_data import read_record

    measured = {target.name: target.url for target in read_record(run).targets}
    if not any(reporter.url(name) == measured.get(name) for name in reporter.targets):
        there = ", ".join(f"{name} at {reporter.url(name)}" for name in reporter.targets) or "nothing"
        raise Refusal(
            f"{run} measured {', '.join(measured.values())}, and deployed from this folder is {there}: go to the "
            "folder of its deployment; a deployment that was removed took its lines with it"
        )
