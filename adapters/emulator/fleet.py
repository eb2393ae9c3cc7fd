"""The instances of one local cloud: carries out what the scaling rule decides."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from adapters.contract import Environment, HttpAnswer, HttpRequest, InstanceFailed
from adapters.emulator.launch import Launcher
from adapters.emulator.scaling import Action, Assign, Refuse, Scaling, Start, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from adapters.contract import Cloud, Instance
    from adapters.emulator.custody import Custody
    from adapters.emulator.ledger import Ledger
    from adapters.emulator.platform_rules import Platform

TICK_S = 0.25
FUNCTION = "tripoint-classify"


@dataclass(slots=True)
class Member:
    """One instance that was started. `served` counts its requests; `why_ended` is None while it lives."""

    number: int
    launcher: Launcher
    started_s: float
    task: asyncio.Task[None] | None = None
    instance: Instance | None = None
    ready: bool = False
    served: int = 0
    why_ended: str | None = None


class Fleet:
    """Serves requests with instances of one cloud."""

    def __init__(
        self,
        cloud: Cloud,
        platform: Platform,
        *,
        bundle: Path,
        folder: Path,
        custody: Custody,
        ledger: Ledger,
        on_event: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.platform = platform
        self.scaling = Scaling(platform.scaling)
        self._cloud = cloud
        self._bundle = bundle
        self._folder = folder
        self._custody = custody
        self._ledger = ledger
        self._on_event = on_event
        self._members: dict[int, Member] = {}
        self._places: dict[int, asyncio.Future[Assign | Refuse]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._requests = 0
        self._clock = asyncio.ensure_future(self._tick())

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request as the platform does: by an instance, a new one perhaps, or by refusing."""
        self._requests += 1
        number, arrived_s = self._requests, self._ledger.now_s()
        place: asyncio.Future[Assign | Refuse] = asyncio.get_running_loop().create_future()
        self._places[number] = place
        self._apply(self.scaling.arrive(number, arrived_s))
        decision = await place
        if isinstance(decision, Refuse):
            self._ledger.write("refused", request=number, arrived_s=arrived_s, why=decision.why)
            return self.platform.failed if decision.why == "start" else self.platform.full
        assigned_s = self._ledger.now_s()
        answer = await self._exchange(self._members[decision.instance], request)
        self._ledger.write(
            "request",
            request=number,
            instance=decision.instance,
            arrived_s=arrived_s,
            assigned_s=assigned_s,
            waited_for_new_instance=decision.waited,
            status=answer.status,
        )
        self._apply(self.scaling.done(number, self._ledger.now_s()))
        return answer

    async def retire(self) -> int:
        """Deploy a new version: instances that are free end now. Returns the version's number."""
        self._apply(self.scaling.retire(self._ledger.now_s()))
        self._ledger.write("retired", version=self.scaling.version)
        if self._ending:
            await asyncio.wait(self._ending)
        return self.scaling.version

    def change(self, platform: Platform) -> None:
        """From now on `platform` holds; instances that run keep the memory and concurrency they started with."""
        self.platform = platform
        self.scaling.rules = platform.scaling

    def state(self) -> dict[str, Any]:
        """What runs now."""
        return {
            "version": self.scaling.version,
            "requests": self._requests,
            "waiting": len(self.scaling.waiting),
            "instances": [
                {
                    "instance": member.number,
                    "pid": member.instance.pid if member.instance else None,
                    "ready": member.ready,
                    "served": member.served,
                    "in_flight": slot.in_flight if (slot := self.scaling.slots.get(member.number)) else 0,
                }
                for member in self._members.values()
            ],
        }

    async def close(self) -> None:
        """End every instance."""
        self._clock.cancel()
        for member in list(self._members.values()):
            self._end(member, "closed")
        if self._ending:
            await asyncio.wait(self._ending)

    async def _exchange(self, member: Member, request: HttpRequest) -> HttpAnswer:
        assert member.instance is not None
        member.served += 1
        try:
            return await member.instance.exchange(request)
        except InstanceFailed as error:
            self._lose(member, str(error))
            return error.answer or self.platform.failed

    def _apply(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Start():
                    self._start(action)
                case Stop():
                    if (member := self._members.get(action.instance)) is not None:
                        self._end(member, action.why)
                case _:
                    place = self._places.pop(action.request)
                    if not place.done():
                        place.set_result(action)

    def _start(self, action: Start) -> None:
        launcher = Launcher(
            custody=self._custody,
            folder=self._folder / str(action.instance),
            exited=lambda: self._exited(action.instance),
        )
        member = Member(action.instance, launcher, self._ledger.now_s())
        self._members[action.instance] = member
        self._tell("instance_starting", action.instance, reason=action.reason, request=action.request)
        member.task = asyncio.ensure_future(self._bring_up(member))

    async def _bring_up(self, member: Member) -> None:
        environment = Environment(
            cloud=self._cloud.name,
            function=FUNCTION,
            version=str(self.scaling.slots[member.number].version),
            bundle=self._bundle,
            memory_mb=self.platform.memory_mb,
            cpu_share=self.platform.cpu_share,
            concurrency=self.platform.scaling.concurrency,
            timeout_s=self.platform.timeout_s,
            init_timeout_s=self.platform.init_timeout_s,
            launch=member.launcher,
        )
        try:
            member.instance = await self._cloud.instances().start(environment)
            async with asyncio.timeout(self.platform.init_timeout_s):
                await member.instance.ready()
        except InstanceFailed as error:
            self._lose(member, str(error))
        except TimeoutError:
            self._lose(member, f"was not ready within {self.platform.init_timeout_s:g} s")
        else:
            member.ready = True
            now_s = self._ledger.now_s()
            start_ms = round((now_s - member.started_s) * 1000, 3)
            self._tell("instance_ready", member.number, pid=member.instance.pid, start_ms=start_ms)
            if member.number in self.scaling.slots:
                self._apply(self.scaling.ready(member.number, now_s))

    def _exited(self, number: int) -> None:
        """A process of an instance ended: the instance with it, when nobody is asking it right now."""
        member = self._members.get(number)
        if member is None or member.why_ended is not None or not member.ready:
            return
        if (slot := self.scaling.slots.get(number)) is not None and slot.in_flight == 0:
            self._lose(member, "its process ended")

    def _lose(self, member: Member, why: str) -> None:
        """An instance failed: the rule learns it, and its processes end."""
        if member.why_ended is None:
            self._apply(self.scaling.gone(member.number, self._ledger.now_s()))
            self._end(member, "failed", detail=why)

    def _end(self, member: Member, why: str, *, detail: str | None = None) -> None:
        if member.why_ended is None:
            member.why_ended = why
            task = asyncio.ensure_future(self._bring_down(member, detail))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def _bring_down(self, member: Member, detail: str | None) -> None:
        if member.task is not None and member.task is not asyncio.current_task():
            member.task.cancel()
            await asyncio.wait({member.task})
        if member.instance is not None:
            await member.instance.stop()
        await member.launcher.end()
        self._members.pop(member.number, None)
        more = {} if detail is None else {"detail": detail}
        self._tell("instance_ended", member.number, reason=member.why_ended, served=member.served, **more)

    def _tell(self, event: str, instance: int, **fields: Any) -> None:
        self._on_event(self._ledger.write(event, instance=instance, **fields))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            self._apply(self.scaling.tick(self._ledger.now_s()))
            for member in self._members.values():
                for group in member.launcher.groups:
                    group.trim_log()


def with_rules(platform: Platform, **changes: Any) -> Platform:
    """The same platform under changed scaling rules."""
    return replace(platform, scaling=replace(platform.scaling, **changes))
