"""For the tests of single instances: bundles with functions that misbehave on request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from adapters import contract
from adapters.contract import Environment, HttpAnswer, HttpRequest

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


class Group:
    """A process group with its log in a file (`contract.Process`), in no share and under no guardian."""

    def __init__(self, leader: asyncio.subprocess.Process, log: Path) -> None:
        self._leader = leader
        self._log = log

    @property
    def pid(self) -> int:
        return self._leader.pid

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        return await self._leader.wait()

    def log_tail(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def log(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(line)

    def log_size(self) -> int:
        return self._log.stat().st_size

    def log_since(self, mark: int) -> bytes:
        return self._log.read_bytes()[mark:]


class Launcher:
    """`contract.Launch`; `end` ends what it started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._groups: list[Group] = []

    async def __call__(
        self, command: Sequence[str], *, variables: Mapping[str, str], folder: Path
    ) -> contract.Process:
        log = self._folder / f"{secrets.token_hex(8)}.log"
        with log.open("ab") as file:
            leader = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=folder,
                env={"PATH": os.environ.get("PATH", os.defpath), **variables},
                start_new_session=True,
            )
        self._groups.append(Group(leader, log))
        return self._groups[-1]

    async def end(self) -> None:
        for group in self._groups:
            group.kill()
            await group.wait()


@asynccontextmanager
async def started(
    cloud: str, bundle: Path, *, concurrency: int = 1, variables: Mapping[str, str] | None = None, **limits: float
) -> AsyncIterator[contract.Instance]:
    """An instance that was started, and whose processes end with the block; `limits` are timeouts in s."""
    launcher = Launcher(bundle.parent)
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
