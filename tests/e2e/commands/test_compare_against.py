"""`tripoint compare --against` from outside: two versions of the code in one run, on a real runtime."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import contract
from adapters.bundle.layout import assemble
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(240), pytest.mark.clock]
ROUNDS = 10
SCENARIO = """
[[phases]]
kind = "forced"
rounds = 1

[[phases]]
kind = "constant"
rate = 8
count = 6
warm_up = 2
"""
SLOWER_S = 0.08


def tripoint(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", *words]
    return subprocess.run(command, cwd=ROOT, text=True, capture_output=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """This version against a bundle whose handler sleeps."""
    folder = tmp_path_factory.mktemp("against")
    bundle = assemble(contract.load("aws"), folder=folder / "slower")
    service = bundle / "adapters" / "aws" / "handler.py"
    shutil.rmtree(service.parent / "__pycache__", ignore_errors=True)  # it holds the code as it was
    text = service.read_text(encoding="utf-8")
    head, mark, rest = text.partition("def lambda_handler(")
    assert mark
    signature, colon, body = rest.partition(":\n")
    service.write_text(
        f"{head}{mark}{signature}{colon}    __import__('time').sleep({SLOWER_S})\n{body}", encoding="utf-8"
    )
    (folder / "rounds.toml").write_text(SCENARIO * ROUNDS, encoding="utf-8")
    out = folder / "run"
    words = ("--clouds", "aws", "--scenario", str(folder / "rounds.toml"), "--quiet", "--out", str(out))
    return out, tripoint("compare", "--against", str(bundle), *words)


def test_the_other_version_runs_beside_this_one_and_the_difference_is_found(
    run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = run
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in summary["targets"]] == ["aws", "aws-before"]
    assert summary["run"]["against"] == "the bundle slower"
    warm = next(each for each in summary["changes"] if each["what"] == "warm latency")
    assert warm["significant"], warm
    assert warm["relative"] < -0.3, "this version does not sleep"
    assert warm["sentence"].endswith("better")
    assert "Against the other version" in (folder / "report.md").read_text(encoding="utf-8")
    assert "no significant regression beyond 5 %" in done.stdout


def test_the_run_is_judged_again_by_diff(run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    again = tripoint("diff", str(run[0]), "--format", "md")
    assert again.returncode == 0, again.stderr
    assert "| aws | warm latency |" in again.stdout


def test_real_clouds_are_refused() -> None:
    done = tripoint("compare", "--against", "HEAD", "--targets", "deployed")
    assert done.returncode == 2
    assert "--against measures local clouds" in done.stderr
