"""For the tests of single instances: bundles with functions that misbehave on request."""

from __future__ import annotations

import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from adapters import contract
from adapters.contract import Environment, HttpAnswer, HttpRequest
from adapters.emulator.custody import Custody
from adapters.emulator.launch import Launcher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

_BEHAVIOUR = '''
import os, threading, time

BUSY = 0
LOCK = threading.Lock()


def behave(path, body):
    """What the function does, by its path; `together` answers how many calls overlapped."""
    global BUSY
    if path == "/die":
        os._exit(9)
    if path == "/raise":
        raise RuntimeError("raised on request")
    if path == "/hang":
        time.sleep(60)
    if path == "/together":
        with LOCK:
            BUSY += 1
        deadline = time.monotonic() + 3
        most = BUSY
        while most < int(body) and time.monotonic() < deadline:
            most = max(most, BUSY)
            time.sleep(0.005)
        time.sleep(0.05)
        with LOCK:
            BUSY -= 1
        return str(most)
    if path == "/variables":
        return repr(dict(os.environ))
    return f"{os.getpid()} {len(body)}"
'''
_GCP = """
import functions_framework
from behaviour import behave


@functions_framework.http
def classify(request):
    return behave(request.path, request.get_data())
"""
_AZURE = """
import azure.functions as func
from behaviour import behave

app = func.FunctionApp(http_auth_level="ANONYMOUS")


@app.route(route="{*path}")
def classify(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(behave("/" + req.route_params.get("path", ""), req.get_body()))


@app.route(route="waits", methods=["GET"])
async def waits(req: func.HttpRequest) -> str:
    return "an async function answered"


@app.route(route="secret", auth_level="FUNCTION")
def secret(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("open")
"""
_HOST = '{"version": "2.0", "extensions": {"http": {"routePrefix": ""}}}'


def misbehaving_bundle(folder: Path, *, preamble: str = "") -> Path:
    """An app for both clouds whose function does what its path says; `preamble` runs when it is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "behaviour.py").write_text(_BEHAVIOUR)
    (folder / "main.py").write_text(preamble + _GCP)
    (folder / "function_app.py").write_text(preamble + _AZURE)
    (folder / "host.json").write_text(_HOST)
    return folder


@asynccontextmanager
async def started(
    cloud: str, bundle: Path, *, concurrency: int = 1, variables: Mapping[str, str] | None = None, **limits: float
) -> AsyncIterator[contract.Instance]:
    """An instance that was started, and whose processes end with the block; `limits` are timeouts in s."""
    custody = Custody()
    launcher = Launcher(custody=custody, folder=bundle.parent / secrets.token_hex(4), exited=lambda: None)
    environment = Environment(
        cloud=cloud,
        function="classify",
        version="1",
        bundle=bundle,
        memory_mb=1024,
        cpu_share=1.0,
        concurrency=concurrency,
        timeout_s=limits.get("timeout_s", 30.0),
        init_timeout_s=limits.get("init_timeout_s", 30.0),
        launch=launcher,
        variables=variables or {},
    )
    try:
        instance = await contract.load(cloud).instances().start(environment)
        try:
            yield instance
        finally:
            await instance.stop()
    finally:
        await launcher.end()
        custody.close()


@asynccontextmanager
async def running(
    cloud: str, bundle: Path, *, concurrency: int = 1, variables: Mapping[str, str] | None = None, **limits: float
) -> AsyncIterator[contract.Instance]:
    """The same, when it is ready."""
    async with started(cloud, bundle, concurrency=concurrency, variables=variables, **limits) as instance:
        await instance.ready()
        yield instance


async def ask(instance: contract.Instance, path: str, body: bytes = b"") -> HttpAnswer:
    """POST `body` to `path`."""
    return await instance.exchange(HttpRequest("POST", path, (("Host", "127.0.0.1"),), body))
