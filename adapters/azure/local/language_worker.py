"""One worker process of an instance, from its start to its end."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.azure.local import function_keys, routes
from adapters.azure.local.event_stream import HOST_VERSION, EventStreamLink, Server, WorkerGone, WorkerRefused

if TYPE_CHECKING:
    from adapters.azure.local.routes import Route
    from adapters.contract import Environment, Process

PROCESS_COUNT = "FUNCTIONS_WORKER_PROCESS_COUNT"
THREAD_COUNT = "PYTHON_THREADPOOL_THREAD_COUNT"
_EXIT_NOTICE_S = 1.0
_WORKER = Path(__file__).with_name("worker_process.py")


class WorkerFailed(Exception):
    """A worker did not come up; the message says why, with its last log lines."""


@dataclass(slots=True)
class LanguageWorker:
    """A worker process, its stream, the routes of the functions that it indexed, and how many calls it answered."""

    process: Process
    link: EventStreamLink
    exited: asyncio.Task[int]
    routes: tuple[Route, ...] = ()
    answered: int = 0

    async def initialise(self, messages: Any, app_folder: Path, *, limit_s: float) -> None:
        """Return when it indexed the app and loaded its functions; raise WorkerFailed when it cannot."""
        try:
            async with asyncio.timeout(limit_s):
                self.routes = await introduce(self.link, messages, app_folder)
        except TimeoutError as error:
            raise self._failure(f"was not ready within {limit_s:g} s") from error
        except WorkerGone as error:
            await asyncio.wait({self.exited}, timeout=_EXIT_NOTICE_S)  # a stream ends a moment before its process
            self.process.kill()
            raise self._failure(f"ended with status {await self.exited} before it was ready") from error
        except (WorkerRefused, OSError, ValueError) as error:
            raise self._failure(f"could not start the app: {error}") from error

    async def invoke(self, invocation: Any) -> Any:
        """The function's InvocationResponse. Raises WorkerGone, and WorkerRefused when the function raised."""
        try:
            answer = await self.link.ask(invocation_request=invocation)
        except WorkerRefused:
            self.answered += 1
            raise
        self.answered += 1
        return answer

    async def end(self) -> None:
        """Kill it and wait until it is gone."""
        self.process.kill()
        self.link.close()
        await asyncio.wait({self.exited})

    def _failure(self, what: str) -> WorkerFailed:
        return WorkerFailed(f"worker {self.process.pid} {what}; its last lines:\n{self.process.log_tail()}")


async def launch(environment: Environment, server: Server, runtime: Path) -> LanguageWorker:
    """Start one worker process; -P keeps this folder off its path, so that it sees the bundle alone."""
    link = server.expect()
    command = [sys.executable, "-P", str(_WORKER), "--functions-uri", f"http://127.0.0.1:{server.port}/"]
    command += ["--functions-worker-id", link.worker_id, "--runtime", str(runtime)]
    process = await environment.launch(command, variables=platform_variables(environment), folder=environment.bundle)
    exited = asyncio.ensure_future(process.wait())
    exited.add_done_callback(lambda _: link.close())
    return LanguageWorker(process, link, exited)


async def introduce(link: EventStreamLink, messages: Any, app_folder: Path) -> tuple[Route, ...]:
    """The host's first words to a worker: initialise, tell your functions, load them. Returns their routes."""
    init = messages.WorkerInitRequest(host_version=HOST_VERSION, function_app_directory=str(app_folder))
    await link.ask(worker_init_request=init)
    wanted = messages.FunctionsMetadataRequest(function_app_directory=str(app_folder))
    metadata = await link.ask(functions_metadata_request=wanted)
    prefix = routes.route_prefix(app_folder)
    found = []
    for each in metadata.function_metadata_results:
        await link.ask(
            function_load_request=messages.FunctionLoadRequest(function_id=each.function_id, metadata=each)
        )
        route = routes.read_route(each.function_id, each.name, each.raw_bindings, prefix=prefix)
        if route is not None:
            found.append(route)
    if not found:
        raise WorkerRefused(f"no HTTP function in {app_folder / 'function_app.py'}")
    return tuple(found)


def app_settings(environment: Environment, surrounding: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The app's settings; those of the host may come from the surrounding environment too."""
    names = (PROCESS_COUNT, THREAD_COUNT, function_keys.FUNCTION_KEY, function_keys.MASTER_KEY)
    return {**{name: surrounding[name] for name in names if name in surrounding}, **environment.variables}


def platform_variables(environment: Environment) -> dict[str, str]:
    """What the platform sets (learn.microsoft.com/azure/azure-functions/functions-app-settings, as of 2026-11-20)."""
    return {
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "FUNCTIONS_EXTENSION_VERSION": "~4",
        **app_settings(environment),
        "PYTHONPATH": str(environment.bundle),
        "AzureWebJobsScriptRoot": str(environment.bundle),
        "WEBSITE_SITE_NAME": environment.function,
        "WEBSITE_HOSTNAME": "127.0.0.1",
        "WEBSITE_INSTANCE_ID": f"{environment.function}-{environment.version}",
        "WEBSITE_SKU": "FlexConsumption",
    }
