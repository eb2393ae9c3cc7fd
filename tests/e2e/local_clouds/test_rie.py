"""AWS's own emulator cross-checks the handler, one event at a time, where its program is at hand (Linux).

It is found by TRIPOINT_RIE or as `aws-lambda-rie` on the PATH. It serves one request at a time only: it ends on a
second one that comes while the first runs.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from adapters import contract
from adapters.bundle import assemble

EVENTS = sorted((contract.load("aws").folder / "events").glob("*.json"))
OF_THE_INSTANCE = ("timings", "instance")


@pytest.fixture(scope="module")
def rie(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of AWS's emulator with our handler behind it."""
    program = os.environ.get("TRIPOINT_RIE") or shutil.which("aws-lambda-rie")
    if not program:
        pytest.skip("AWS's emulator is not at hand: name its program in TRIPOINT_RIE")
    bundle = assemble(contract.load("aws"), folder=tmp_path_factory.mktemp("rie") / "bundle")
    front, runtime = free_port(), free_port()
    # Both addresses: without them it listens on every address of the machine.
    addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{front}"]
    addresses += ["--runtime-api-address", f"127.0.0.1:{runtime}"]
    command = [program, *addresses, sys.executable, "-m", "awslambdaric", "adapters.aws.handler.lambda_handler"]
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(bundle), "TRIPOINT_LOG_LEVEL": "error"}
    null = subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=bundle, env=variables, stdout=null, stderr=null, start_new_session=True
    ) as run:
        try:
            yield f"http://127.0.0.1:{front}/2015-03-31/functions/function/invocations"
        finally:
            os.killpg(run.pid, 9)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def invoke(url: str, event: dict[str, Any]) -> Any:
    """The handler's return value; the first call waits until the emulator listens."""
    deadline_s = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, json.dumps(event).encode(), timeout=60) as answer:
                return json.load(answer)
        except urllib.error.URLError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def comparable(value: dict[str, Any]) -> Any:
    """Without what differs from instance to instance."""
    if "statusCode" not in value:
        return value
    document = json.loads(value["body"])
    return value["statusCode"], {name: part for name, part in document.items() if name not in OF_THE_INSTANCE}


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_the_handler_answers_the_same_under_awss_own_emulator(rie: str, path: Path) -> None:
    text = json.dumps(json.loads(path.read_text())["event"])
    if "$image_url" in text:
        pytest.skip("a function fetches from public addresses only")
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(encoded, "JPEG")
    event = json.loads(text.replace("$image_base64", base64.b64encode(encoded.getvalue()).decode()))
    from adapters.aws import handler

    assert comparable(invoke(rie, event)) == comparable(handler.lambda_handler(event, None))
