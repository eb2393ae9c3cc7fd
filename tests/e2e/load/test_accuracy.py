"""The load test measured itself: what it says of a known server is what is true, and recording it costs little."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from loadtests.selftest.calibration import CalibrationRuns, calibrate

pytestmark = pytest.mark.clock


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stall_shows_in_the_percentiles_as_it_was(tmp_path: Path, workers: int) -> None:
    """2 s of stall in 10 s at 200 a second: a client that waits for answers would miss nearly all of it."""
    honesty = CalibrationRuns(tmp_path, workers=workers).honesty(200, seconds=10, stall_s=2)
    assert honesty.requests == 2000
    assert honesty.p95_true_ms == pytest.approx(1500, rel=0.03)
    assert honesty.p99_true_ms == pytest.approx(1900, rel=0.03)
    assert honesty.error < 0.03, asdict(honesty)


def test_recording_costs_at_most_a_tenth_of_a_bare_fast_http_user() -> None:
    command = [sys.executable, "-m", "loadtests.selftest.overhead", "--requests", "800", "--rounds", "3"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["ratio"] <= 1.1, found


def test_a_calibration_tells_the_floor_the_breaking_rate_and_the_error(tmp_path: Path) -> None:
    found = calibrate(tmp_path, rate=50, seconds=2)
    assert 0 < found.floor.p50_ms <= found.floor.p99_ms
    assert found.floor.requests == 100
    assert found.rates[0].rate == 50
    assert found.breaks_at is None or found.breaks_at in {each.rate for each in found.rates}
    document = found.document()
    assert json.loads(json.dumps(document)) == document
    assert set(document) == {"floor", "rates", "breaks_at", "honesty", "error"}
