"""The entry files where a user starts them: by hand in the checkout, and in the unpacked bundle."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters import bundle, contract
from adapters.azure.instance import runtime_folder
from adapters.azure.local import worker_process
from adapters.azure.local.event_stream import Server
from adapters.azure.local.language_worker import introduce
from adapters.azure.local.worker_process import load_messages
from adapters.contract import HttpAnswer, HttpRequest
from adapters.emulator.http_client import Upstream, listening_ports
from tests.kits.runtime_instances import running
from tests.paths import ROOT


@pytest.fixture
def framework(tmp_path: Path) -> Iterator[int]:
    """`functions-framework` as the README starts it, on a free port; its port."""
    command = [str(Path(sys.executable).with_name("functions-framework")), "--source", "adapters/gcp/main.py"]
    command += ["--target", "classify", "--host", "127.0.0.1", "--port", "0"]
    variables = {**os.environ, "TRIPOINT_LOG_LEVEL": "error", "XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=variables) as process:
        deadline_s = time.monotonic() + 60
        while not (ports := listening_ports(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        yield min(ports)
        process.terminate()


def labels(answer: HttpAnswer) -> list[str]:
    document: dict[str, Any] = json.loads(answer.body)
    assert answer.status == 200, document
    return [prediction["label"] for prediction in document["predictions"]]


def photo(image: bytes) -> HttpRequest:
    return HttpRequest("POST", "/?top_k=2", (("Host", "127.0.0.1"), ("Content-Type", "image/jpeg")), image)


def test_functions_framework_finds_its_target_in_the_checkout(framework: int, sample_image: bytes) -> None:
    async def run() -> HttpAnswer:
        upstream = Upstream(framework)
        try:
            return await upstream.exchange(photo(sample_image))
        finally:
            upstream.close()

    assert len(labels(asyncio.run(run()))) == 2


def test_azures_runtime_finds_the_function_in_its_folder() -> None:
    """What `func start` does there: the folder itself is the app."""

    async def run() -> list[str]:
        app = ROOT / "adapters" / "azure"
        messages = load_messages(runtime_folder())
        server = Server(messages)
        await server.open()
        link = server.expect()
        arguments = ["--functions-uri", f"http://127.0.0.1:{server.port}/", "--functions-worker-id", link.worker_id]
        command = [sys.executable, "-P", worker_process.__file__, *arguments, "--runtime", str(runtime_folder())]
        process = await asyncio.create_subprocess_exec(*command, cwd=app)
        try:
            return [f"{route.name} {route.auth_level}" for route in await introduce(link, messages, app)]
        finally:
            await server.close()
            await process.wait()

    assert asyncio.run(run()) == ["classify function"]


@pytest.mark.parametrize("cloud", ["gcp", "azure"])
def test_the_unpacked_bundle_serves_without_the_checkout(cloud: str, tmp_path: Path, sample_image: bytes) -> None:
    folder = bundle.assemble(contract.load(cloud), folder=tmp_path / "bundle")

    async def run() -> list[HttpAnswer]:
        async with running(cloud, folder, variables={"TRIPOINT_LOG_LEVEL": "error"}) as instance:
            return [
                await instance.exchange(request) for request in (photo(sample_image), HttpRequest("GET", "/model"))
            ]

    classified, model = asyncio.run(run())
    assert len(labels(classified)) == 2
    assert json.loads(model.body)["name"] == "clothes"
    assert json.loads(classified.body)["instance"]["request_number"] == 1
