"""Run Microsoft's own host, `func start` of Azure Functions Core Tools, in place of ours.

Chosen with TRIPOINT_AZURE_HOST=func. It brings the real host (routing, keys off, as it always runs locally) and
the real worker; it starts more slowly, and one process group holds both.
"""

from __future__ import annotations

import asyncio
import shutil
import socket
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adapters.azure.local import language_worker
from adapters.contract import HttpAnswer, HttpRequest, InstanceFailed
from adapters.emulator.http_client import Upstream, UpstreamClosed, listening_ports

if TYPE_CHECKING:
    from adapters.contract import Environment, Process

HOST = "TRIPOINT_AZURE_HOST"
_POLL_S = 0.1
_DEATH_NOTICE_S = 0.5
# Answered by the host, not by the function, so that no request of the function's is used up.
_PING = HttpRequest("GET", "/admin/host/ping")


@dataclass(slots=True)
class CoreToolsInstance:
    """One `func start`."""

    environment: Environment
    process: Process
    exited: asyncio.Task[int]
    upstream: Upstream
    deadline_s: float

    @property
    def pid(self) -> int:
        """The `func` process, leader of its group."""
        return self.process.pid

    async def ready(self) -> None:
        """Return when the host answers a ping: it says that it is ready before it listens.

        Raises InstanceFailed when it ended or took longer than `init_timeout_s`.
        """
        while not await self._pings():
            if self.exited.done():
                raise self._failure(f"ended with status {self.exited.result()} before it answered")
            if time.monotonic() > self.deadline_s:
                raise self._failure(f"was not ready within {self.environment.init_timeout_s:g} s")
            await asyncio.wait({self.exited}, timeout=_POLL_S)

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request; 500 when it took too long. Raises InstanceFailed when the host died."""
        try:
            async with asyncio.timeout(self.environment.timeout_s):
                return await self.upstream.exchange(request)
        except TimeoutError:
            return HttpAnswer(500)
        except UpstreamClosed as error:
            await asyncio.wait({self.exited}, timeout=_DEATH_NOTICE_S)
            if self.exited.done():
                raise self._failure(f"ended with status {self.exited.result()} during a request") from error
            return HttpAnswer(502)

    async def stop(self) -> None:
        """End the process group."""
        self.upstream.close()
        self.process.kill()
        await asyncio.wait({self.exited})

    async def _pings(self) -> bool:
        if self.upstream.port not in listening_ports(self.pid, descendants=True):
            return False  # whoever may answer there, it is not this host
        try:
            return (await self.upstream.exchange(_PING)).status == 200
        except UpstreamClosed:
            return False

    def _failure(self, what: str) -> InstanceFailed:
        tail = self.process.log_tail()
        return InstanceFailed(f"azure instance {self.pid} (func) {what}; its last lines:\n{tail}")


async def start(environment: Environment) -> CoreToolsInstance:
    """Run `func start` in the bundle. Raises InstanceFailed when `func` is not installed."""
    func = shutil.which("func")
    if func is None:
        raise InstanceFailed(
            f"{HOST}=func, but `func` is not on the PATH: install Azure Functions Core Tools 4 "
            f"(learn.microsoft.com/azure/azure-functions/functions-run-local), or unset {HOST}"
        )
    port = free_port()
    command = [func, "start", "--port", str(port)]
    variables = language_worker.platform_variables(environment) | {
        # The host runs this interpreter, which has the function's packages.
        "languageWorkers__python__defaultExecutablePath": sys.executable,
        "FUNCTIONS_CORE_TOOLS_TELEMETRY_OPTOUT": "1",
    }
    process = await environment.launch(command, variables=variables, folder=environment.bundle)
    exited = asyncio.ensure_future(process.wait())
    deadline_s = time.monotonic() + environment.init_timeout_s
    return CoreToolsInstance(environment, process, exited, Upstream(port), deadline_s)


def free_port() -> int:
    """A loopback port that is free now: `func` wants one by number. It exits, and says so, when it is taken since."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
