"""The OpenAPI document is true on every local cloud: a schema-driven fuzz run through the real runtimes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions
from core import runtime
from core.settings import MODELS

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("schemathesis") is None, reason="schemathesis is not installed"),
]
WINES = str(MODELS / "examples" / "wine-xgboost")
# A string that the schema allows is seldom an image or an address: refusing it is right.
NOT_MEANT = "positive_data_acceptance"
# Azure's host itself answers TRACE, with 404: no function can ask for that method.
NOT_OURS = {"azure": ",unsupported_method"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("cloud", "model"), [*((name, "clothes") for name in contract.clouds()), ("gcp", WINES)])
def test_no_request_made_from_the_document_gets_an_answer_that_it_does_not_describe(
    cloud: str, model: str, tmp_path: Path
) -> None:
    if model == WINES and "xgboost" not in runtime.usable():
        pytest.skip("xgboost-cpu is not installed")
    with clouds.start((cloud,), EmulatorOptions(model=model)) as running:
        url = running[cloud].url.rstrip("/")
        # A cold start on a busy machine may outlast the patience of what follows.
        assert requests.get(f"{url}/health", timeout=120).status_code == 200
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json", "--url", url]
        options = {"--max-examples": "15", "--seed": "1", "--exclude-checks": NOT_MEANT + NOT_OURS.get(cloud, "")}
        done = subprocess.run(
            [*command, *(part for option in options.items() for part in option), "--no-color"],
            capture_output=True, text=True, timeout=250, cwd=tmp_path, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "Tested: 4" in done.stdout
