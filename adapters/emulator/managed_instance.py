"""One instance of a pool, from its launch to its end: processes, share, logs."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from adapters.contract import Environment, InstanceFailed

if TYPE_CHECKING:
    from adapters.contract import Cloud, HttpAnswer, HttpRequest, Instance
    from adapters.emulator.cgroups import Cgroup
    from adapters.emulator.faults import Fault
    from adapters.emulator.platform_rules import Platform
    from adapters.emulator.process_group import Launcher

FUNCTION = "tripoint-classify"


@dataclass(slots=True)
class ManagedInstance:
    """`served` counts its requests; `why_ended` is None while it lives."""

    number: int
    version: int
    platform: Platform
    launcher: Launcher
    share: Cgroup | None
    started_s: float
    task: asyncio.Task[None] | None = None
    instance: Instance | None = None
    ready: bool = False
    served: int = 0
    why_ended: str | None = None
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)

    @property
    def wait_gone(self) -> bool:
        """Whether no process is left that an exchange could reach."""
        return all(group.gone for group in self.launcher.groups)

    async def start(self, cloud: Cloud, faults: list[Fault]) -> None:
        """Start it and wait until it can serve. Raises InstanceFailed."""
        for fault in faults:
            if fault.fault == "refuse-start":
                raise InstanceFailed(f"{cloud.name} instance {self.number} was refused: a fault on demand")
            await asyncio.sleep(fault.delay_s)
        platform = self.platform
        environment = Environment(
            cloud=cloud.name,
            function=FUNCTION,
            version=str(self.version),
            bundle=self.launcher.bundle,
            memory_mb=platform.memory_mb,
            cpu_share=platform.cpu_share,
            concurrency=platform.scaling.concurrency,
            timeout_s=platform.timeout_s,
            init_timeout_s=platform.init_timeout_s,
            launch=self.launcher,
        )
        try:
            self.instance = await cloud.instances().start(environment)
            async with asyncio.timeout(platform.init_timeout_s):
                await self.instance.ready()
        except TimeoutError:
            raise InstanceFailed(
                f"{cloud.name} instance {self.number} was not ready within {platform.init_timeout_s:g} s"
            ) from None
        if platform.boost is not None and self.share is not None:
            if platform.boost.after_ready_s:
                later = asyncio.get_running_loop().call_later
                self._timers.append(later(platform.boost.after_ready_s, self.share.limit_cpu, platform.cpu_share))
            else:
                self.share.limit_cpu(platform.cpu_share)  # before the first request is handed out
        self.ready = True

    async def exchange(self, request: HttpRequest, faults: list[Fault]) -> HttpAnswer:
        """Serve one request, with what was asked to go wrong. Raises InstanceFailed."""
        assert self.instance is not None
        self.served += 1
        loop = asyncio.get_running_loop()
        for fault in faults:
            if fault.fault == "kill":
                self._timers.append(loop.call_later(fault.delay_s, self.signal, signal.SIGKILL))
            elif fault.fault == "stall":
                self.signal(signal.SIGSTOP)
                self._timers.append(loop.call_later(fault.delay_s, self.signal, signal.SIGCONT))
        return await self.instance.exchange(request)

    async def stop(self) -> None:
        """End every process and remove what they leave."""
        if self.task is not None and self.task is not asyncio.current_task():
            self.task.cancel()
            await asyncio.wait({self.task})
        for timer in self._timers:
            timer.cancel()
        if self.instance is not None:
            await self.instance.stop()
        await self.launcher.end()
        if self.share is not None:
            self.share.remove()

    def out_of_memory(self) -> bool:
        return self.share is not None and self.share.out_of_memory()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every process group of it."""
        for group in self.launcher.groups:
            if not group.gone:
                os.killpg(group.pid, number)
