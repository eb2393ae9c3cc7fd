"""The host of one instance: it keeps the worker processes alive and gives out the next one.

The real host replaces every worker that dies. So does this one where there are several; with a single worker
the instance ends with it and the front door starts another, which takes as long and keeps one process to one
instance: what the worker says of itself and what the front door's ledger says then agree.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.azure.local import language_worker
from adapters.azure.local.event_stream import Server
from adapters.azure.local.language_worker import PROCESS_COUNT, LanguageWorker, WorkerFailed
from adapters.contract import InstanceFailed

if TYPE_CHECKING:
    from adapters.contract import Environment

# The host gives up after 3 errors per worker process (Azure/azure-functions-host, RpcFunctionInvocationDispatcher.cs,
# read 2026-11-21). Here: deaths in a row of one process and its successors without an answer in between.
_DEATHS_ALLOWED = 3
# learn.microsoft.com/azure/azure-functions/functions-app-settings, FUNCTIONS_WORKER_PROCESS_COUNT, as of 2026-11-20.
_PROCESSES_ALLOWED = 10


class Host:
    """One task per worker process replaces it when it dies; requests go to the ready ones in turn."""

    def __init__(self, environment: Environment, messages: Any, runtime: Path) -> None:
        self._environment = environment
        self._messages = messages
        self._runtime = runtime
        self._server = Server(messages)
        self._workers: list[LanguageWorker] = []
        self._ready: list[LanguageWorker] = []
        self._changed = asyncio.Condition()
        self._failure = ""
        self._keepers: list[asyncio.Task[None]] = []
        self._turn = 0
        self._came_up = False
        self._last_pid = 0
        self._count = process_count(language_worker.app_settings(environment))

    @property
    def pid(self) -> int:
        """The oldest worker process, leader of its group; the last one when there is none."""
        return self._workers[0].process.pid if self._workers else self._last_pid

    @property
    def single(self) -> bool:
        """Whether the instance has one worker, and ends with it."""
        return self._count == 1

    async def open(self) -> None:
        """Listen, and start the first worker; the others follow when it is ready, as under the real host."""
        await self._server.open()
        first = await self._launch()
        self._keepers = [asyncio.create_task(self._supervise(first))]
        self._keepers += [asyncio.create_task(self._follow()) for _ in range(self._count - 1)]

    async def worker(self) -> LanguageWorker:
        """The next ready worker, once there is one. Raises InstanceFailed when none will come any more."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._alive() or self._failure)
        if self._failure:
            raise InstanceFailed(f"azure instance: {self._failure}")
        self._turn += 1
        alive = self._alive()
        return alive[self._turn % len(alive)]

    def _alive(self) -> list[LanguageWorker]:
        """The ready workers whose stream is open; one that just died is not asked again."""
        return [worker for worker in self._ready if not worker.link.closed]

    async def close(self, why: str = "it was stopped") -> None:
        """End every worker and stop listening; those that wait for a worker are told `why`."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        await self._change(failure=why)
        await asyncio.gather(*(worker.end() for worker in self._workers))
        await self._server.close()

    async def _launch(self) -> LanguageWorker:
        """Start one worker process. Raises InstanceFailed when the system does not let us."""
        try:
            worker = await language_worker.launch(self._environment, self._server, self._runtime)
        except OSError as error:
            await self._change(failure=f"no worker process could be started: {error}")
            raise InstanceFailed(f"azure instance: {self._failure}") from error
        self._workers.append(worker)
        self._last_pid = worker.process.pid
        return worker

    async def _follow(self) -> None:
        await self.worker()
        await self._supervise(await self._launch())

    async def _supervise(self, worker: LanguageWorker) -> None:
        """Bring a worker up, and another when it dies; give up when they die without answering anything."""
        deaths, limit_s = 0, self._environment.init_timeout_s
        while True:
            try:
                await worker.initialise(self._messages, self._environment.bundle, limit_s=limit_s)
                await self._change(ready=worker)
                await asyncio.wait({worker.exited})
                cause = f"worker {worker.process.pid} died; its last lines:\n{worker.process.log_tail()}"
            except WorkerFailed as error:
                cause = str(error)
            deaths = 0 if worker.answered else deaths + 1
            fatal = self.single or deaths >= _DEATHS_ALLOWED or not self._came_up
            await self._change(gone=worker, failure=cause if fatal else "")
            await worker.end()
            self._workers.remove(worker)
            if fatal:
                return
            worker = await self._launch()

    async def _change(
        self, *, ready: LanguageWorker | None = None, gone: LanguageWorker | None = None, failure: str = ""
    ) -> None:
        async with self._changed:
            if ready is not None:
                self._ready.append(ready)
                self._came_up = True
            if gone in self._ready:
                self._ready.remove(gone)
            self._failure = self._failure or failure
            self._changed.notify_all()


def process_count(settings: Mapping[str, str]) -> int:
    """How many worker processes an instance has, 1 where it is not set. Raises InstanceFailed for a wrong value."""
    text = settings.get(PROCESS_COUNT, "1")
    if not text.isdecimal() or not 1 <= int(text) <= _PROCESSES_ALLOWED:
        raise InstanceFailed(f"{PROCESS_COUNT}={text!r}: expected 1 to {_PROCESSES_ALLOWED}; correct it or unset it")
    return int(text)
