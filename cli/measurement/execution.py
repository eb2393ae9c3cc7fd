"""A load test from its start to its reports, as `compare` and `tune` both carry it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.measurement.platform_reports import WAIT_S, read_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.framework.progress import Display
    from loadtests.analysis.summary import Summary
    from loadtests.launch import Progress, RunPlan
    from loadtests.record.platform_reports import Source


@dataclass(frozen=True, slots=True)
class Afterwards:
    """Whom to ask for the platform's own lines once the load has ended, and for how long."""

    source: Source | None = None
    wait_s: float = WAIT_S


def carry_out(
    plan: RunPlan,
    display: Display,
    afterwards: Afterwards,
    *,
    on_progress: Callable[[Progress], None] | None = None,
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


def conclude(folder: Path, display: Display) -> Summary:
    """Statistics and cost of a run that has ended, written beside it."""
    from loadtests.report import build

    display.show("statistics and cost", 0, 1)
    summary = build.summarise_run(folder)
    build.write(folder, summary)
    display.show("statistics and cost", 1, 1)
    return summary
