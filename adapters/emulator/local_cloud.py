"""Put one local cloud together: bundle, instances, front door, control plane. Everything ends with it."""

from __future__ import annotations

import asyncio
import contextlib
import platform as machine
import secrets
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from adapters.bundle.layout import assemble, lay_out_empty, unpack
from adapters.emulator import http_server
from adapters.emulator.cgroups import Cgroups, find_cgroup_version
from adapters.emulator.cleanup import CleanupRegistry
from adapters.emulator.control_plane import ControlPlane
from adapters.emulator.event_log import EventLog
from adapters.emulator.front_door import FrontDoor
from adapters.emulator.instances import InstancePool, PoolResources
from adapters.emulator.platform_rules import platform

if TYPE_CHECKING:
    from aiohttp import web

    from adapters.contract import Cloud
    from adapters.emulator.options import EmulatorOptions


class LocalCloudServer:
    """An asynchronous context manager: inside it the local cloud serves.

    `ended` is set when its control plane is asked to end; `on_event` gets every instance event.
    """

    def __init__(
        self,
        cloud: Cloud,
        options: EmulatorOptions,
        *,
        ended: asyncio.Event,
        on_event: Callable[[Mapping[str, Any]], None] = lambda event: None,
    ) -> None:
        self._cloud = cloud
        self._options = options
        self._platform = platform(cloud, options)
        self._ended = ended
        self._on_event = on_event
        self._exits = contextlib.AsyncExitStack()
        self.fronts: dict[str, str] = {}
        self.control = self._cpu_share = ""
        self._folder = Path()

    async def __aenter__(self) -> LocalCloudServer:
        async with contextlib.AsyncExitStack() as exits:
            cleanup = CleanupRegistry()
            exits.push_async_callback(asyncio.to_thread, cleanup.close)
            name = f"tripoint-{self._cloud.name}-{secrets.token_hex(6)}"
            folder = self._folder = Path(tempfile.gettempdir()) / name
            cleanup.keep("folder", str(folder))  # before it exists: then it cannot be left behind
            folder.mkdir(mode=0o700)
            bundle = self._lay_out(folder / "bundle")
            self._cloud.instances()  # a missing package is told before anybody waits for an instance
            event_log = EventLog(folder / "ledger.jsonl", cloud=self._cloud.name)
            exits.callback(event_log.close)
            shares = Cgroups(find_cgroup_version(cleanup) if self._options.shares else None, cleanup)
            self._cpu_share = shares.description
            resources = PoolResources(bundle, folder / "instances", cleanup, event_log, shares)
            pool = InstancePool(self._cloud, self._platform, resources, on_event=self._on_event)
            for fault in self._options.faults:
                pool.faults.add(fault, event_log.now_s())
            exits.push_async_callback(pool.close)
            front_door = FrontDoor(pool, self._cloud.gate())
            exits.push_async_callback(front_door.close)
            rules = self._cloud.data["platform"]
            for name in rules.get("fronts", ("http",)):
                opened = await _open(exits, http_server.server(front_door.serve, name=name))
                self.fronts[name] = opened + rules.get("front_paths", {}).get(name, "")
            control = ControlPlane(
                cloud=self._cloud, options=self._options, pool=pool, event_log=event_log, ended=self._ended
            )
            self.control = await _open(exits, http_server.server(control.serve))
            self._exits = exits.pop_all()
        return self

    def _lay_out(self, folder: Path) -> Path:
        """The bundle that the instances run: the empty one, of this tree or another, or built before."""
        options = self._options
        if options.empty:
            return lay_out_empty(self._cloud, folder)
        if options.bundle is not None:
            return unpack(Path(options.bundle), folder)
        code = None if options.code is None else Path(options.code)
        return assemble(self._cloud, folder=folder, model=options.model, code=code)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._exits.aclose()

    def ready_event(self) -> dict[str, Any]:
        """The first line of the process: where the cloud is, and what it is."""
        return {
            "event": "ready",
            "cloud": self._cloud.name,
            "url": next(iter(self.fronts.values())),
            "control": self.control,
            "fronts": self.fronts,
            "plan": self._platform.plan,
            "memory_mb": self._platform.memory_mb,
            "concurrency": self._platform.scaling.concurrency,
            "max_instances": self._platform.scaling.max_instances,
            "vcpu": round(self._platform.cpu_share, 4),
            "cpu_share": self._cpu_share,
            "python": machine.python_version(),
            "folder": str(self._folder),
        }


async def _open(exits: contextlib.AsyncExitStack, serving: web.Server) -> str:
    opened, url = await http_server.listen(serving)
    exits.push_async_callback(serving.shutdown, 1.0)
    exits.callback(opened.close)
    return url
