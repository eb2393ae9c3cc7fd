"""`tripoint calibrate`: what the load test itself adds, and whether what it says is true."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from loadtests.selftest.calibration import Calibration

_EPILOG = "Example: tripoint calibrate --run runs/mine, on the machine that made the run"


@click.command(epilog=_EPILOG)
@click.option("--run", type=click.Path(path_type=Path, exists=True), help="Store the result in this run.")
@click.option("--rate", default=200.0, show_default=True, type=click.FloatRange(min=1), help="Requests a second.")
@click.option(
    "--seconds", default=10.0, show_default=True, type=click.FloatRange(min=1), help="Length of each measurement."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(min=1), help="Locust processes.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(*, run: Path | None, rate: float, seconds: float, workers: int, as_json: bool, quiet: bool) -> None:
    """Measure the client against a server that does nothing, at known delays: floor, slip, limit, truth."""
    from cli.framework.progress import Display
    from loadtests.record.store import StoreError, open_store
    from loadtests.selftest import calibration

    try:
        if run is not None:
            open_store(run, writable=True).close()  # before anything is measured
        with tempfile.TemporaryDirectory() as folder, Display(quiet=quiet) as display:
            result = calibration.calibrate(
                Path(folder), rate=rate, seconds=seconds, workers=workers, on_progress=display.show_load
            )
        if run is not None:
            calibration.keep(run, result)
    except (calibration.CalibrationFailed, StoreError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(result.document(), indent=2))
        return
    for line in _lines(result):
        click.echo(line)


def _lines(result: Calibration) -> list[str]:
    floor, honesty = result.floor, result.honesty
    held = max((each.rate for each in result.rates if each.rate != result.breaks_at), default=None)
    limit = f"It holds {held:g}/s" if held else "It holds none of the rates that were tried"
    beyond = f", and breaks at {result.breaks_at:g}/s" if result.breaks_at else "; no higher rate was tried"
    return [
        f"The client alone takes p50 {floor.p50_ms:.2f} ms, p99 {floor.p99_ms:.2f} ms at {floor.rate:g}/s.",
        f"It sends p50 {floor.slip_p50_ms:.2f} ms, p99 {floor.slip_p99_ms:.2f} ms after the intended time.",
        f"{limit} with 99 % sent within 5 ms{beyond}.",
        f"Through a stall of {honesty.stall_s:.2f} s it says p95 {honesty.p95_ms:.0f}, p99 {honesty.p99_ms:.0f} ms; "
        f"true are {honesty.p95_true_ms:.0f} and {honesty.p99_true_ms:.0f} (off by at most {honesty.error:.1%}).",
    ]
