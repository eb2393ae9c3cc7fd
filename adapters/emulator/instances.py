"""The instances of one local cloud: this carries out what the scaling rule decides."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.contract import HttpAnswer, InstanceFailed, Rejection
from adapters.emulator.faults import Faults
from adapters.emulator.managed_instance import ManagedInstance
from adapters.emulator.process_group import Launcher
from adapters.emulator.scaling import Action, Assign, Refuse, Scaling, Start, Stop

if TYPE_CHECKING:
    from adapters.contract import Cloud, HttpRequest
    from adapters.emulator.cgroups import Cgroups
    from adapters.emulator.cleanup import CleanupRegistry
    from adapters.emulator.event_log import EventLog
    from adapters.emulator.platform_rules import Platform

TICK_S = 0.25
ENDED_LOGS = 50


class RequestRefused(Exception):
    """A request got no instance."""

    def __init__(self, refusal: Rejection) -> None:
        super().__init__(refusal)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class PoolResources:
    """What a pool works with: the unpacked bundle, a folder for logs, clean-up, event log and CPU shares."""

    bundle: Path
    folder: Path
    cleanup: CleanupRegistry
    event_log: EventLog
    shares: Cgroups


class InstancePool:
    """Serves requests with instances of one cloud; `on_event` gets every event of an instance."""

    def __init__(
        self,
        cloud: Cloud,
        platform: Platform,
        resources: PoolResources,
        *,
        on_event: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.platform = platform
        self.scaling = Scaling(platform.scaling, seed=platform.seed)
        self.faults = Faults()
        self._cloud = cloud
        self._resources = resources
        self._event_log = resources.event_log
        self._on_event = on_event
        self._members: dict[int, ManagedInstance] = {}
        self._places: dict[int, asyncio.Future[Assign | Refuse]] = {}
        self._start_failure: InstanceFailed | None = None
        self._ending: set[asyncio.Task[None]] = set()
        self._ended_logs: deque[bytes] = deque(maxlen=ENDED_LOGS)
        self._requests = 0
        self._clock = asyncio.ensure_future(self._tick())

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        """Let an instance answer one request, if need be a new one.

        Raises RequestRefused where the platform gives it none.
        """
        self._requests += 1
        number, now_s = self._requests, self._event_log.now_s()
        arrived_s = round(now_s - request.queued_s, 6)
        faults = self.faults.at_request(now_s)
        if said := next((fault for fault in faults if fault.fault == "answer"), None):
            self._event_log.write("fault", request=number, arrived_s=arrived_s, fault="answer", status=said.status)
            return HttpAnswer(said.status, (("content-type", "text/plain"),), b"a fault on demand")
        decision = await self._place(number, arrived_s)
        member = self._members[decision.instance]
        assigned_s = self._event_log.now_s()
        for fault in faults:
            self._event_log.write("fault", request=number, instance=member.number, fault=fault.fault)
        try:
            answer = await member.exchange(request, faults)
        except InstanceFailed as error:
            self._lose(member, error)
            answer = error.answer or self.platform.failed
        self._event_log.write(
            "request",
            request=number,
            instance=member.number,
            arrived_s=arrived_s,
            assigned_s=assigned_s,
            waited_for_new_instance=decision.waited,
            status=answer.status,
        )
        self._apply(self.scaling.done(number, self._event_log.now_s()))
        return answer

    async def retire(self) -> int:
        """Deploy a new version: instances that are free end now. Returns the version's number."""
        self._apply(self.scaling.retire(self._event_log.now_s()))
        self._event_log.write("retired", version=self.scaling.version)
        if self._ending:
            await asyncio.wait(set(self._ending))
        return self.scaling.version

    def change(self, platform: Platform) -> None:
        """From now on `platform` holds; instances that run keep what they started with until the next version."""
        self.platform = platform
        self.scaling.rules = platform.scaling

    def state(self) -> dict[str, Any]:
        """What runs now."""
        slots = self.scaling.slots
        return {
            "version": self.scaling.version,
            "requests": self._requests,
            "waiting": len(self.scaling.waiting),
            "instances": [
                {
                    "instance": number,
                    "pid": member.instance.pid if member.instance else None,
                    "ready": member.ready,
                    "served": member.served,
                    "in_flight": slots[number].in_flight if number in slots else 0,
                }
                for number, member in self._members.items()
            ],
        }

    def logs(self) -> bytes:
        """The last lines of the instances that ended last, and of every one that runs."""
        return b"".join([*self._ended_logs, *(member.launcher.log_tail() for member in self._members.values())])

    async def close(self) -> None:
        """End every instance."""
        self._clock.cancel()
        for member in list(self._members.values()):
            self._end(member, "closed")
        if self._ending:
            await asyncio.wait(set(self._ending))

    async def _place(self, number: int, arrived_s: float) -> Assign:
        place: asyncio.Future[Assign | Refuse] = asyncio.get_running_loop().create_future()
        self._places[number] = place
        self._apply(self.scaling.arrive(number, self._event_log.now_s(), since_s=arrived_s))
        decision = await place
        if isinstance(decision, Refuse):
            self._event_log.write("refused", request=number, arrived_s=arrived_s, why=decision.why)
            raise RequestRefused(Rejection(decision.why, self._start_failure if decision.why == "start" else None))
        return decision

    def _apply(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Start():
                    self._start(action)
                case Stop():
                    if (member := self._members.get(action.instance)) is not None:
                        self._end(member, action.why)
                case _:
                    self._places.pop(action.request).set_result(action)

    def _start(self, action: Start) -> None:
        platform = self.platform
        vcpu = platform.boost.vcpu if platform.boost else platform.cpu_share
        share = self._resources.shares.make(vcpu=vcpu, memory_mb=platform.memory_mb)
        launcher = Launcher(
            cleanup=self._resources.cleanup,
            bundle=self._resources.bundle,
            folder=self._resources.folder / str(action.instance),
            exited=lambda: self._exited(action.instance),
            join=share.join if share else (),
        )
        version = self.scaling.slots[action.instance].version
        member = ManagedInstance(action.instance, version, platform, launcher, share, self._event_log.now_s())
        self._members[action.instance] = member
        self._tell("instance_starting", member, reason=action.reason, request=action.request)
        member.task = asyncio.ensure_future(self._start_instance(member))

    async def _start_instance(self, member: ManagedInstance) -> None:
        faults = self.faults.at_start(self._event_log.now_s())
        for fault in faults:
            self._event_log.write("fault", instance=member.number, fault=fault.fault)
        try:
            await member.start(self._cloud, faults)
        except InstanceFailed as error:
            self._start_failure = error
            self._lose(member, error)
            return
        now_s = self._event_log.now_s()
        assert member.instance is not None
        start_ms = round((now_s - member.started_s) * 1000, 3)
        self._tell("instance_ready", member, pid=member.instance.pid, start_ms=start_ms)
        if member.number in self.scaling.slots:
            self._apply(self.scaling.ready(member.number, now_s))

    def _exited(self, number: int) -> None:
        """A process ended: the instance with it when it was the last one and no exchange is there to notice."""
        member = self._members.get(number)
        if member is None or not member.ready or not member.wait_gone:
            return
        if (slot := self.scaling.slots.get(number)) is not None and slot.in_flight == 0:
            self._lose(member, InstanceFailed("its process ended"))

    def _lose(self, member: ManagedInstance, error: InstanceFailed) -> None:
        """An instance failed: the rule learns it, and its processes end."""
        if member.why_ended is None:
            why = "out of memory" if member.out_of_memory() else "failed"
            self._apply(self.scaling.gone(member.number, self._event_log.now_s()))
            self._end(member, why, detail=str(error))

    def _end(self, member: ManagedInstance, why: str, *, detail: str | None = None) -> None:
        if member.why_ended is None:
            member.why_ended = why
            task = asyncio.ensure_future(self._stop_instance(member, detail))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _stop_instance(self, member: ManagedInstance, detail: str | None) -> None:
        self._ended_logs.append(member.launcher.log_tail())
        await member.stop()
        self._members.pop(member.number, None)
        more = {} if detail is None else {"detail": detail}
        self._tell("instance_ended", member, reason=member.why_ended, served=member.served, **more)

    def _tell(self, event: str, member: ManagedInstance, **fields: Any) -> None:
        self._on_event(self._event_log.write(event, instance=member.number, **fields))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._apply(self.scaling.tick(self._event_log.now_s()))
            for member in self._members.values():
                member.launcher.trim_logs()
