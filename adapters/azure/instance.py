"""One instance of Azure Functions: Azure's own Python runtime in worker processes, under a small host of ours."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.azure import routes
from adapters.azure.invocation import to_answer, to_invocation
from adapters.azure.link import HOST_VERSION, Link, Server, WorkerGone, WorkerRefused
from adapters.azure.recorded import replay
from adapters.azure.worker import load_messages
from adapters.contract import HttpAnswer, InstanceFailed

if TYPE_CHECKING:
    from adapters.azure.routes import Route
    from adapters.contract import Environment, HttpRequest, Process, Replay, StartInstance

_WORKER = Path(__file__).with_name("worker.py")


@dataclass(slots=True)
class RunningWorker:
    """A worker process, its stream, and the routes of the functions that it indexed."""

    process: Process
    link: Link
    exited: asyncio.Task[int]
    routes: list[Route] = field(default_factory=list)


@dataclass(slots=True)
class FunctionsInstance:
    """The host of one instance, and its worker."""

    environment: Environment
    messages: Any
    server: Server
    worker: RunningWorker

    @property
    def pid(self) -> int:
        """The worker process, leader of its group."""
        return self.worker.process.pid

    async def ready(self) -> None:
        """Return when the worker indexed the app and loaded its functions.

        Raises InstanceFailed with the worker's own exception, or when it took longer than `init_timeout_s`.
        """
        initialising = asyncio.ensure_future(initialise(self.worker, self.messages, self.environment.bundle))
        limit_s = self.environment.init_timeout_s
        await asyncio.wait({initialising, self.worker.exited}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if not initialising.done():
            initialising.cancel()
            ended = self.worker.exited.done()
            raise self._failure(
                f"ended with status {self.worker.exited.result()}" if ended else f"was not ready within {limit_s:g} s"
            )
        try:
            initialising.result()
        except (WorkerRefused, WorkerGone) as error:
            raise self._failure(f"could not start the app: {error}") from error

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request: 404 where no route matches, 500 with no body when the function raised."""
        path = urlsplit(request.target).path
        match = routes.match(self.worker.routes, method=request.method, path=path)
        if match is None:
            return HttpAnswer(404)
        invocation = to_invocation(self.messages, request, match)
        try:
            async with asyncio.timeout(self.environment.timeout_s):
                answer = await self.worker.link.ask(invocation_request=invocation)
        except WorkerRefused:
            return HttpAnswer(500)
        except TimeoutError as error:
            self.worker.process.kill()
            raise self._failure(f"did not answer within {self.environment.timeout_s:g} s") from error
        except WorkerGone as error:
            raise self._failure("died during a request") from error
        return to_answer(answer.return_value, method=request.method)

    async def stop(self) -> None:
        """End the worker and the host."""
        self.worker.process.kill()
        await self.server.close()
        await asyncio.wait({self.worker.exited})

    def _failure(self, what: str) -> InstanceFailed:
        tail = self.worker.process.log_tail()
        return InstanceFailed(f"azure instance {self.pid} {what}; its last lines:\n{tail}")


async def start(environment: Environment) -> FunctionsInstance:
    """Start the host on a free loopback port, and its worker process."""
    runtime = runtime_folder()
    messages = load_messages(runtime)
    server = Server(messages)
    await server.open()
    worker = await start_worker(environment, server, runtime)
    return FunctionsInstance(environment, messages, server, worker)


async def start_worker(environment: Environment, server: Server, runtime: Path) -> RunningWorker:
    """Start one worker process; -P keeps this folder off its path, so that it sees the bundle alone."""
    link = server.expect()
    command = [sys.executable, "-P", str(_WORKER), "--functions-uri", f"http://127.0.0.1:{server.port}/"]
    command += ["--functions-worker-id", link.worker_id, "--runtime", str(runtime)]
    process = await environment.launch(command, variables=_variables(environment), folder=environment.bundle)
    return RunningWorker(process, link, asyncio.ensure_future(process.wait()))


async def initialise(worker: RunningWorker, messages: Any, app_folder: Path) -> None:
    """The host's first words to a worker: initialise, tell your functions, load them."""
    link = worker.link
    init = messages.WorkerInitRequest(host_version=HOST_VERSION, function_app_directory=str(app_folder))
    await link.ask(worker_init_request=init)
    wanted = messages.FunctionsMetadataRequest(function_app_directory=str(app_folder))
    metadata = await link.ask(functions_metadata_request=wanted)
    prefix = routes.route_prefix(app_folder)
    for each in metadata.function_metadata_results:
        load = messages.FunctionLoadRequest(function_id=each.function_id, metadata=each)
        await link.ask(function_load_request=load)
        route = routes.read_route(each.function_id, each.name, each.raw_bindings, prefix=prefix)
        if route is not None:
            worker.routes.append(route)
    if not worker.routes:
        raise WorkerRefused(f"no HTTP function in {app_folder / 'function_app.py'}")


def runtime_folder() -> Path:
    """Where Azure's Python runtime is installed. Raises InstanceFailed saying how to install it."""
    folder = Path(os.environ.get("TRIPOINT_AZURE_RUNTIME") or Path(sys.prefix) / "azure-runtime")
    if not (folder / "azure_functions_runtime").is_dir():
        raise InstanceFailed(
            f"Azure's Python runtime is not in {folder}: run `make setup`, or install requirements/azure-runtime.txt "
            "there (pip install --no-deps --ignore-requires-python --require-hashes --target), "
            "or name its folder in TRIPOINT_AZURE_RUNTIME"
        )
    return folder


def _variables(environment: Environment) -> dict[str, str]:
    """What the platform sets (learn.microsoft.com/azure/azure-functions/functions-app-settings, read 2026-11-20)."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "FUNCTIONS_EXTENSION_VERSION": "~4",
        **environment.variables,
        "PYTHONPATH": str(environment.bundle),
        "AzureWebJobsScriptRoot": str(environment.bundle),
        "WEBSITE_SITE_NAME": environment.function,
        "WEBSITE_HOSTNAME": "127.0.0.1",
        "WEBSITE_INSTANCE_ID": f"{environment.function}-{environment.version}",
        "WEBSITE_SKU": "FlexConsumption",
    }


_start: StartInstance = start
_replay: Replay = replay
