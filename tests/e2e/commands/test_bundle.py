"""`tripoint bundle` from the command line: wheels for another machine, without Docker."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

MIB = 1024 * 1024
pytestmark = [pytest.mark.timeout(600)]


def bundle(*arguments: str, out: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cli", "bundle", *arguments, "--out", str(out)]
    return subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)


def document(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    if "check the network or package index" in done.stderr:
        pytest.skip(f"no package index can be reached: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def test_the_zip_for_lambda_is_small_and_the_same_each_time(tmp_path: Path) -> None:
    first = document(bundle("aws", "--python", "3.13", "--json", out=tmp_path / "one"))
    second = document(bundle("aws", "--python", "3.13", "--json", out=tmp_path / "two"))
    assert first["sha256"] == second["sha256"]
    with zipfile.ZipFile(first["archive"]) as packed:
        model_bytes = sum(entry.compress_size for entry in packed.infolist() if entry.filename.startswith("model/"))
        names = packed.namelist()
    assert first["zipped_bytes"] - model_bytes <= 25 * MIB
    assert "adapters/aws/handler.py" in names
    assert "core/service.py" in names
    assert not [name for name in names if name.startswith(("boto3/", "botocore/", "loadtests/", "cli/"))]


def test_arm64_takes_other_wheels(tmp_path: Path) -> None:
    made = document(bundle("aws", "--python", "3.13", "--arch", "arm64", "--variant", "int8", "--json", out=tmp_path))
    with zipfile.ZipFile(made["archive"]) as packed:
        libraries = [name for name in packed.namelist() if name.endswith(".so")]
        models = [name for name in packed.namelist() if name.startswith("model/") and name.endswith(".tflite")]
    assert any("aarch64" in name for name in libraries)
    assert not any("x86_64" in name for name in libraries)
    assert len(models) == 1


def test_a_runtime_without_a_wheel_is_refused_with_the_reason(tmp_path: Path) -> None:
    done = bundle("aws", "--python", "3.13", "--runtime", "tflite-runtime", out=tmp_path)
    assert done.returncode == 2
    assert "no tflite-runtime for Python 3.13" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_platform_that_installs_packages_itself_gets_exact_versions(tmp_path: Path) -> None:
    for cloud in ("gcp", "azure"):
        made = document(bundle(cloud, "--json", out=tmp_path))
        with zipfile.ZipFile(made["archive"]) as packed:
            lines = packed.read("requirements.txt").decode().splitlines()
        assert any(line.startswith("ai-edge-litert==") for line in lines)
        assert all("==" in line for line in lines)


@pytest.mark.parametrize(
    ("model", "carried", "most_mib"),
    [("wine-xgboost", {"xgboost"}, 8), ("wine-scikit-learn", {"numpy", "onnxruntime"}, 30)],
)
def test_a_model_of_another_family_is_shipped_with_its_own_runtime_alone(
    model: str, carried: set[str], most_mib: int, tmp_path: Path
) -> None:
    made = document(bundle("aws", "--python", "3.13", "--model", f"model/examples/{model}", "--json", out=tmp_path))
    with zipfile.ZipFile(made["archive"]) as packed:
        tops = {name.split("/")[0] for name in packed.namelist()}
    engines = {"numpy", "PIL", "scipy", "ai_edge_litert", "tflite_runtime", "onnxruntime", "xgboost", "google"}
    assert tops & engines == carried
    assert made["zipped_bytes"] < most_mib * MIB
