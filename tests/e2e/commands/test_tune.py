"""`tripoint tune` from outside: real local clouds of several sizes, and null servers as deployed targets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from loadtests.plan.targets import write_targets
from tests.kits.load import null_target, write_images
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.clock]  # a sweep fits its load to how fast the targets answer


def tune(*options: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command; its processes are told by an environment variable."""
    command = [sys.executable, "-m", "cli", "tune", "--quiet", "--minutes", "1.0", *options]
    found = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=220, env={**os.environ})
    assert found.returncode == code, found.stdout + found.stderr
    return found


def document(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "summary.json").read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep of two sizes of one local cloud and the one size of another that stands for both."""
    folder = tmp_path_factory.mktemp("tune") / "run"
    tune("--clouds", "aws,azure", "--memory", "1024,1769", "--strategy", "cost", "--out", str(folder))
    return folder


def test_every_setting_is_measured_in_one_run_with_a_cold_start_in_every_round(swept: Path) -> None:
    targets = {each["name"]: each for each in document(swept)["targets"]}
    assert sorted(targets) == ["aws-1024", "aws-1769", "azure-2048"]
    for each in targets.values():
        assert each["errors"] + each["dropped"] == 0, each
        assert each["cold"]["stratum"] == "forced"
        assert each["cold"]["n"] >= 6, each
        assert each["warm"]["p95_ms"] is not None, each
        assert each["instances"] >= 6, "a new one in every round"


def test_every_cost_has_an_interval_and_more_memory_costs_more(swept: Path) -> None:
    costs = {each["name"]: each["cost_usd_per_million"] for each in document(swept)["targets"]}
    for name, cost in costs.items():
        assert cost["lo"] is not None, name
        assert cost["lo"] <= cost["value"] <= cost["hi"], name
    assert costs["aws-1024"]["value"] < costs["azure-2048"]["value"], "a second is billed for an isolated request"


def test_the_result_recommends_overall_and_for_each_cloud(swept: Path) -> None:
    sweep = document(swept)["sweep"]
    assert sweep["strategy"] == "cost"
    assert [each["scope"] for each in sweep["recommendations"]] == ["overall", "aws", "azure"]
    assert sweep["recommendations"][2]["setting"] == "azure-2048"
    assert "azure has no 1024 MB: 2048 MB, its next size, stands for it" in sweep["notes"]
    assert "## Sweep" in (swept / "report.md").read_text(encoding="utf-8")


def test_the_prices_stay_with_the_run(swept: Path) -> None:
    kept = json.loads((swept / "prices.json").read_text(encoding="utf-8"))
    assert kept["date"] == document(swept)["run"]["price_book"]


def test_nothing_runs_on_after_the_command(swept: Path) -> None:
    mine = [each for each in psutil.process_iter(["cmdline"]) if str(swept) in " ".join(each.info["cmdline"] or ())]
    assert mine == []


def test_deployed_targets_are_swept_without_starting_anything(tmp_path: Path) -> None:
    """Null servers stand for deployed functions; the slower one is the larger, so it is beaten on both.

    Nothing is shown: each answers from one instance, which has no interval of its cost.
    """
    with null_target("small", "--delay-ms", "5") as small, null_target("large", "--delay-ms", "40") as large:
        deployed = [
            replace(each, cloud="aws", plan="on-demand", memory_mb=size_mb, control=None)
            for each, size_mb in ((small, 512), (large, 1024))
        ]
        write_targets(tmp_path / "targets.json", deployed)
        images = write_images(tmp_path / "images")
        common = ("--targets", str(tmp_path / "targets.json"), "--images", str(images))
        output = tune(*common, "--out", str(tmp_path / "run"), "--json").stdout
    assert json.loads(output) == document(tmp_path / "run")
    sweep = document(tmp_path / "run")["sweep"]
    assert {each["name"]: each["cost_against_warm_p95"] for each in sweep["settings"]} == {
        "small": "frontier",
        "large": "near",
    }
    assert [(each["scope"], each["setting"], each["shown"]) for each in sweep["recommendations"]] == [
        ("aws", "small", False)
    ]


def test_sizes_and_a_file_of_targets_exclude_each_other(tmp_path: Path) -> None:
    (tmp_path / "targets.json").write_text("[]", encoding="utf-8")
    found = tune("--targets", str(tmp_path / "targets.json"), "--memory", "512", code=2)
    assert "--memory and --targets exclude each other" in found.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--memory", "small"), "expected whole numbers above 0"),
        (("--clouds", "azure", "--memory", "9000"), "at most 4096 MB"),
        (("--clouds", "nowhere"), "nowhere"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_one_sentence(options: tuple[str, ...], said: str) -> None:
    found = tune(*options, code=2)
    assert said in found.stderr
    assert "Traceback" not in found.stderr
