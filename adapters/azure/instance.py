"""One instance of Azure Functions: Azure's own Python runtime in worker processes, under a small host of ours."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.azure.local import core_tools, language_worker, routes
from adapters.azure.local.event_stream import WorkerGone, WorkerRefused
from adapters.azure.local.function_keys import FunctionKeys, presented_key
from adapters.azure.local.host import Host
from adapters.azure.local.invocation import to_answer, to_invocation
from adapters.azure.local.worker_process import load_messages
from adapters.contract import HttpAnswer, InstanceFailed

if TYPE_CHECKING:
    from adapters.azure.local.core_tools import CoreToolsInstance
    from adapters.contract import Environment, HttpRequest, Replay, StartInstance


@dataclass(frozen=True, slots=True)
class FunctionsInstance:
    """The host of one instance with its workers, as seen by the front door."""

    environment: Environment
    messages: Any
    host: Host
    keys: FunctionKeys

    @property
    def pid(self) -> int:
        """The oldest worker process, leader of its group."""
        return self.host.pid

    async def ready(self) -> None:
        """Return when a worker indexed the app; raise InstanceFailed with its own exception or its last lines."""
        await self.host.worker()

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request: 404 without a route, 401 without a key, 500 when the function raised or its worker died.

        A worker that exceeds `timeout_s` is ended, as the host does (host.json, functionTimeout). Raises
        InstanceFailed, with the 500 as its answer, when it was the only worker.
        """
        worker = await self.host.worker()
        path, _, query = request.target.partition("?")
        match = routes.match(worker.routes, method=request.method, path=path)
        if match is None:
            return HttpAnswer(404)
        if not self.keys.open(match.route.auth_level, presented_key(request.headers, query)):
            return HttpAnswer(401)
        invocation = to_invocation(self.messages, request, match)
        try:
            async with asyncio.timeout(self.environment.timeout_s):
                answer = await worker.invoke(invocation)
        except WorkerRefused:
            return HttpAnswer(500)
        except WorkerGone:
            return self._lost(f"worker {worker.process.pid} died during a request")
        except TimeoutError:
            worker.process.kill()
            return self._lost(f"worker {worker.process.pid} did not answer within {self.environment.timeout_s:g} s")
        return to_answer(answer.return_value, method=request.method)

    def _lost(self, what: str) -> HttpAnswer:
        if self.host.single:
            raise InstanceFailed(f"azure instance: {what}", answer=HttpAnswer(500))
        return HttpAnswer(500)

    async def stop(self) -> None:
        """End the workers and the host."""
        await self.host.close()


async def start(environment: Environment) -> FunctionsInstance | CoreToolsInstance:
    """Start our host on a free loopback port with its first worker process, or `func` where that is chosen."""
    if os.environ.get(core_tools.HOST) == "func":
        return await core_tools.start(environment)
    runtime = runtime_folder()
    messages = load_messages(runtime)
    host = Host(environment, messages, runtime)
    try:
        await host.open()
    except BaseException:
        await host.close()
        raise
    return FunctionsInstance(
        environment, messages, host, FunctionKeys.from_settings(language_worker.app_settings(environment))
    )


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


def replay(event: Mapping[str, Any]) -> HttpAnswer:
    """Run one recorded event through `function_app.py` in this process."""
    from adapters.azure.local import (
        replay as recorded,  # brings the platform's SDK, which a local cloud has no need of
    )

    return recorded.replay(event)


_start: StartInstance = start
_replay: Replay = replay
