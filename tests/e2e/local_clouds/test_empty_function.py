"""The empty function of each cloud, under the cloud's own runtime: it answers, and says how its instance started."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions
from tests.paths import ROOT, SAMPLES

pytestmark = pytest.mark.timeout(180)


def test_each_clouds_empty_function_answers_with_evidence_and_without_work() -> None:
    with clouds.start(contract.clouds(), EmulatorOptions(empty=True)) as running:
        for local in running.values():
            for number in (1, 2):
                body = next(SAMPLES.glob("*.jpg")).read_bytes()
                request = urllib.request.Request(local.url, body, {"content-type": "image/jpeg"})
                with urllib.request.urlopen(request, timeout=60) as answer:
                    document = json.load(answer)
                assert document["instance"]["request_number"] == number, local.cloud
                assert document["instance"]["init_ms"] < 50
                assert document["instance"]["model_load_ms"] == 0
                assert document["timings"]["total_ms"] < 5


@pytest.mark.clock
def test_a_comparison_ends_with_estimates_for_the_real_clouds(tmp_path: Path) -> None:
    """One cloud, seven cold starts: the targets of the report are the model's, the estimate has its own table."""
    (tmp_path / "load.toml").write_text(
        '[[phases]]\nkind = "forced"\nrounds = 7\n[[phases]]\nkind = "constant"\nrate = 10\ncount = 20\n'
    )
    command = [sys.executable, "-m", "cli", "compare", "--clouds", "aws", "--scenario", str(tmp_path / "load.toml")]
    command += ["--images", str(SAMPLES), "--out", str(tmp_path / "run"), "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stderr
    assert "estimates in ms, not measurements" in done.stdout
    summary = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in summary["targets"]] == ["aws"]
    assert summary["targets"][0]["cold"]["by_stratum"]["forced"]["n"] == 7
    (expected,) = summary["expected"]
    found = expected["estimate"]["cold p50"]
    assert 0 < found["low_ms"] < found["high_ms"]
    assert expected["local_added_ms"]["cold"] > 0
    assert "Expected on the real clouds" in (tmp_path / "run" / "report.md").read_text(encoding="utf-8")
    assert "complete" not in {each["name"] for each in summary["checks"] if each["state"] == "failed"}
