"""Read what the platforms wrote about a run's requests, after a load test or later."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.measurement.confirmation import log

if TYPE_CHECKING:
    from cli.framework.progress import Display
    from loadtests.record.platform_reports import FetchResult, ReportSource

WAIT_S = 120.0
report_wait = click.option(
    "--report-wait",
    type=click.FloatRange(min=0),
    default=WAIT_S,
    show_default=True,
    help="Real clouds: seconds to wait for the platform's own lines on what it billed; 0: do not ask.",
)
_PHASE = "the platform's own lines"


def read_lines(run: Path, source: ReportSource | None, display: Display, *, wait_s: float) -> FetchResult | None:
    """Wait up to `wait_s` for the lines of a run (0: not at all) and print how many came; None when none can."""
    if source is None or not wait_s:
        return None
    from loadtests.record.platform_reports import fetch_reports

    result = fetch_reports(
        run,
        source,
        timeout_s=wait_s,
        show=lambda done, total, left_s: display.show(_PHASE, done, total, left_s=left_s if done < total else None),
    )
    if result is not None:
        log(f"lines   {result.sentence()}")
    return result
