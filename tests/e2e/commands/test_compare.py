"""`tripoint compare` from outside: the whole path on real runtimes, with the load kept small."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from adapters import contract
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(240)]
SMOKE = ["compare", "--scenario", "smoke", "--quiet"]


def started(folder: Path) -> subprocess.Popen[str]:
    """Start a small comparison whose run goes into `folder`; its processes are told by that name."""
    command = [sys.executable, "-m", "cli", *SMOKE, "--out", str(folder)]
    environ = {**os.environ, "TRIPOINT_TEST_RUN": str(folder)}
    return subprocess.Popen(command, cwd=ROOT, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def still_running(processes: list[psutil.Process], *, within_s: float) -> list[psutil.Process]:
    """Those of `processes` that did not end in time."""
    _, alive = psutil.wait_procs(processes, timeout=within_s)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two comparisons made at the same time, in folders with a space in their names."""
    folders = [tmp_path_factory.mktemp("runs") / f"run {number}" for number in (1, 2)]
    processes = [started(folder) for folder in folders]
    for process in processes:
        output, errors = process.communicate(timeout=200)
        assert process.returncode == 0, output + errors
    return folders


def test_two_comparisons_at_the_same_time_both_end_with_a_summary_of_every_cloud(runs: list[Path]) -> None:
    for folder in runs:
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        assert sorted(target["cloud"] for target in summary["targets"]) == list(contract.clouds())
        for target in summary["targets"]:
            assert target["errors"] == 0, target
            assert target["dropped"] == 0, target
            assert target["cold"]["n"] >= 1, target
            # Two runs on few processors: requests that meet start instances of their own, so that fewer are warm.
            assert target["warm"]["n"] >= 1, target
            assert target["warm"]["n"] + target["cold"]["n"] + target["pre_initialised"]["n"] >= 20, target
            assert target["cost_usd_per_million"]["value"] > 0, target


def test_the_run_folder_holds_the_store_the_summary_and_the_report(runs: list[Path]) -> None:
    for folder in runs:
        assert {"samples.sqlite", "summary.json", "report.md"} <= {path.name for path in folder.iterdir()}


def test_the_report_can_be_made_again_from_the_raw_samples(runs: list[Path]) -> None:
    before = json.loads((runs[0] / "summary.json").read_text(encoding="utf-8"))
    (runs[0] / "summary.json").unlink()
    command = [sys.executable, "-m", "cli", "report", str(runs[0])]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=60)
    assert json.loads((runs[0] / "summary.json").read_text(encoding="utf-8")) == before


def test_an_interrupt_at_any_moment_leaves_no_process(tmp_path: Path) -> None:
    for number, after_s in enumerate((0.5, 2.0, 5.0)):
        process = started(tmp_path / f"run {number}")
        time.sleep(after_s)
        children = family(process.pid)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode in (130, -signal.SIGINT), after_s
        assert still_running(children, within_s=5) == []
