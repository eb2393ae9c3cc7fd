"""`tripoint idle` on local clouds whose curves are known: a number, halves, and a spread, some seconds long."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.emulator import clouds
from adapters.emulator.idle_life import IdleLife
from adapters.emulator.options import EmulatorOptions
from cli.measurement.local_targets import target_of
from loadtests.plan.targets import write_targets
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(300), pytest.mark.clock]
FIXED_S = 3.0
PERIOD_S = 4.0
SPREAD = IdleLife(((2.0, 1.0), (4.0, 0.5), (8.0, 0.0)))
TICK_S = 0.4  # a local cloud ends idle instances four times a second


def survey(folder: Path, options: dict[str, EmulatorOptions], *words: str) -> dict[str, Any]:
    launches = [clouds.CloudLaunch(name, name.partition("-")[0], each) for name, each in options.items()]
    with clouds.start_all(launches) as running:
        named = [replace(target_of(local), name=name) for name, local in running.items()]
        write_targets(folder / "targets.json", named)
        command = [sys.executable, "-m", "cli", "idle", "--targets", str(folder / "targets.json"), "--json"]
        done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_a_fixed_life_and_a_spread_are_found(tmp_path: Path) -> None:
    spread = {
        f"azure-{number}": EmulatorOptions(idle_life=SPREAD.document(), seed=number, min_instances=0)
        for number in range(4)
    }
    options = {"gcp-fixed": EmulatorOptions(idle_life_s=FIXED_S), **spread}
    words = ("--lowest", "1", "--highest", "20", "--tries", "12", "--out", str(tmp_path / "idle"))
    found = survey(tmp_path, options, *words)
    fixed = found["gcp-fixed"]
    assert fixed["longest_warm_s"] <= FIXED_S + TICK_S
    assert fixed["shortest_cold_s"] >= FIXED_S
    assert fixed["shortest_cold_s"] / fixed["longest_warm_s"] < 1.35
    written = (tmp_path / "idle" / "gcp-fixed.toml").read_text(encoding="utf-8")
    assert "[platform.idle_life]" in written
    gaps = [gap for name, each in found.items() if name.startswith("azure") for gap in each["gaps"]]
    short = [gap for gap in gaps if gap["gap_s"] < 2.0]
    long = [gap for gap in gaps if gap["gap_s"] > 8.0 + TICK_S]
    middle = [gap for gap in gaps if 2.5 < gap["gap_s"] < 7.5]
    assert all(gap["survived"] for gap in short)
    assert not any(gap["survived"] for gap in long)
    expected = sum(SPREAD.survival(gap["gap_s"]) for gap in middle)
    assert sum(gap["survived"] for gap in middle) == pytest.approx(expected, abs=0.3 * len(middle)), middle


def test_instances_that_halve_are_found_to_halve(tmp_path: Path) -> None:
    options = {"aws": EmulatorOptions(idle_life={"halves_every_s": PERIOD_S}, max_instances=16)}
    words = ("--lowest", "3", "--highest", "18", "--tries", "5", "--together", "8")
    found = survey(tmp_path, options, *words)["aws"]
    for gap in found["gaps"]:
        periods = int(gap["gap_s"] / PERIOD_S)
        near = (
            abs(gap["gap_s"] - periods * PERIOD_S) < TICK_S or abs((periods + 1) * PERIOD_S - gap["gap_s"]) < TICK_S
        )
        if not near:
            assert gap["survived"] == pytest.approx(gap["of"] / 2**periods, abs=1.5), gap
    assert any(gap["survived"] not in (0, gap["of"]) for gap in found["gaps"]), "never seen half"


def test_an_interrupt_ends_a_long_gap_at_once_and_prints_what_is_known(tmp_path: Path) -> None:
    with clouds.start(["aws"], EmulatorOptions(idle_life_s=1.0)) as running:
        write_targets(tmp_path / "targets.json", [target_of(running["aws"])])
        command = [sys.executable, "-m", "cli", "idle", "--targets", str(tmp_path / "targets.json")]
        # The first gap ends the instance; each that follows has to agree with it, and the last takes an hour.
        words = ["--lowest", "3", "--highest", "3600", "--tries", "3"]
        process = subprocess.Popen(
            [*command, *words], cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        gaps = [process.stderr.readline() for _ in range(2)]
        assert all("nothing is sent for" in line for line in gaps), gaps
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    assert process.returncode == 130, out
    assert "aws: longest none lived, shortest end within 3" in out
