"""The scaling rule as a pure state machine: events with their time in, actions out. No clock, no process.

Two ways to wait, both seen in the field: on AWS Lambda a request waits for the instance that was started for
it (`bound`); elsewhere waiting requests stand in one queue for the first instance with room.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Literal

from adapters.emulator.idle_life import IdleLife

Reason = Literal["request", "ahead", "minimum"]


@dataclass(frozen=True, slots=True)
class Rules:
    """What the platform does; read from `[platform]` of cloud.toml and the options.

    `queue_length` 0 means that a request without an instance is refused at once. `target_use` is the share of
    places in use above which one more instance is started ahead of need (1.0: never).
    At most `starts_per_window` instances are started within `window_s`. More than `requests_per_s` are refused.
    """

    concurrency: int = 1
    max_instances: int = 100
    min_instances: int = 0
    idle_life: IdleLife = field(default_factory=IdleLife)
    bound: bool = False
    queue_length: int = 0
    queue_wait_s: float = 10.0
    target_use: float = 1.0
    starts_per_window: int = 1000
    window_s: float = 10.0
    requests_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """Start an instance; `request` is the one that made it necessary."""

    instance: int
    reason: Reason
    request: int | None = None


@dataclass(frozen=True, slots=True)
class Assign:
    """Let `instance` serve `request`; `waited` says that the request came before the instance was ready."""

    request: int
    instance: int
    waited: bool


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer `request` without an instance."""

    request: int
    why: Literal["full", "queue", "start", "rate"]


@dataclass(frozen=True, slots=True)
class Stop:
    """End `instance`."""

    instance: int
    why: Literal["idle", "retired"]


Action = Start | Assign | Refuse | Stop


@dataclass(slots=True)
class Slot:
    """One instance as the rule sees it; `ready_s` is None while it starts."""

    version: int
    bound_to: int | None = None
    ready_s: float | None = None
    in_flight: int = 0
    free_since_s: float = 0.0
    idle_periods: int = 0
    life_s: float = 0.0
    halvings: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in the queue."""

    request: int
    since_s: float


@dataclass(slots=True)
class Scaling:
    """The state of one function's instances. Times are seconds of one clock that never goes back."""

    rules: Rules
    seed: int = 0
    version: int = 1
    slots: dict[int, Slot] = field(default_factory=dict)
    waiting: deque[Waiting] = field(default_factory=deque)
    _serving: dict[int, int] = field(default_factory=dict)
    _starts: deque[float] = field(default_factory=deque)
    _arrivals: deque[float] = field(default_factory=deque)
    _halved: deque[tuple[float, int, bool]] = field(default_factory=deque)
    _next: int = 1

    def arrive(self, request: int, now_s: float, *, since_s: float | None = None) -> list[Action]:
        """A request came; at `since_s` where the front door was too busy to take it at once."""
        if self._too_often(now_s):
            return [Refuse(request, "rate")]
        waiting = Waiting(request, now_s if since_s is None else since_s)
        slot = None if self.waiting else self._free()
        if slot is not None:
            return [self._assign(waiting, slot, now_s), *self._ahead(now_s)]
        if self.rules.bound:
            if not self._may_start(now_s):
                return [Refuse(request, "full")]
            return [self._start("request", now_s, request=request, bound=True)]
        if len(self.waiting) >= max(self.rules.queue_length, self._places_starting()) and not self._may_start(now_s):
            return [Refuse(request, "full")]
        self.waiting.append(waiting)
        return self._start_for_queue(now_s)

    def ready(self, instance: int, now_s: float) -> list[Action]:
        """An instance can serve."""
        slot = self.slots[instance]
        slot.ready_s = now_s
        self._becomes_idle(instance, now_s)
        if slot.bound_to is not None:
            request, slot.bound_to = slot.bound_to, None
            return [self._assign(Waiting(request, now_s), instance, now_s, waited=True)]
        return [*self._serve_queue(now_s), *self._drop_retired(instance)]

    def done(self, request: int, now_s: float) -> list[Action]:
        """A request was answered."""
        instance = self._serving.pop(request, None)
        if instance is None or instance not in self.slots:
            return []
        slot = self.slots[instance]
        slot.in_flight -= 1
        slot.free_since_s = now_s
        if not slot.in_flight:
            self._becomes_idle(instance, now_s)
        return [*self._serve_queue(now_s), *self._drop_retired(instance)]

    def gone(self, instance: int, now_s: float) -> list[Action]:
        """An instance ended by itself or did not start: those that waited for it alone are refused."""
        slot = self.slots.pop(instance, None)
        if slot is None:
            return []
        if slot.bound_to is not None:
            return [Refuse(slot.bound_to, "start")]
        refused: list[Action] = []
        if slot.ready_s is None:
            excess = len(self.waiting) - self._places_starting()
            for _ in range(min(max(excess, 0), self.rules.concurrency)):
                refused.append(Refuse(self.waiting.popleft().request, "start"))
        return [*refused, *self._start_for_queue(now_s)]

    def retire(self, now_s: float) -> list[Action]:
        """A new version was deployed: old instances finish what they do and end."""
        self.version += 1
        stops: list[Action] = []
        for instance in list(self.slots):
            stops += self._drop_retired(instance)
        return [*stops, *self.tick(now_s)]

    def tick(self, now_s: float) -> list[Action]:
        """Time passed: reap idle instances, refuse who waited too long, keep the minimum up."""
        return [*self._reap(now_s), *self._expire(now_s), *self._start_for_queue(now_s), *self._keep_minimum(now_s)]

    def _free(self) -> int | None:
        """The instance with room that was used last (so that the others can end), of the current version."""
        usable = [
            (slot.free_since_s, instance)
            for instance, slot in self.slots.items()
            if slot.ready_s is not None and slot.version == self.version and slot.in_flight < self.rules.concurrency
        ]
        return max(usable)[1] if usable else None

    def _assign(self, waiting: Waiting, instance: int, now_s: float, *, waited: bool | None = None) -> Assign:
        slot = self.slots[instance]
        slot.in_flight += 1
        slot.free_since_s = now_s
        self._serving[waiting.request] = instance
        if waited is None:
            assert slot.ready_s is not None
            waited = waiting.since_s < slot.ready_s
        return Assign(waiting.request, instance, waited)

    def _may_start(self, now_s: float) -> bool:
        while self._starts and self._starts[0] <= now_s - self.rules.window_s:
            self._starts.popleft()
        return len(self.slots) < self.rules.max_instances and len(self._starts) < self.rules.starts_per_window

    def _start(self, reason: Reason, now_s: float, *, request: int | None = None, bound: bool = False) -> Start:
        instance, self._next = self._next, self._next + 1
        self.slots[instance] = Slot(self.version, bound_to=request if bound else None)
        self._starts.append(now_s)
        return Start(instance, reason, request)

    def _places_starting(self) -> int:
        starting = (s for s in self.slots.values() if s.ready_s is None and s.bound_to is None)
        return sum(self.rules.concurrency for slot in starting if slot.version == self.version)

    def _start_for_queue(self, now_s: float) -> list[Action]:
        starts: list[Action] = []
        while len(self.waiting) > self._places_starting() and self._may_start(now_s):
            starts.append(self._start("request", now_s, request=self.waiting[self._places_starting()].request))
        return starts

    def _ahead(self, now_s: float) -> list[Action]:
        """One more instance before the last place is taken, where the platform aims at less than full use."""
        if self.rules.target_use >= 1 or self.rules.concurrency == 1:
            return []
        current = [slot for slot in self.slots.values() if slot.version == self.version]
        used = sum(slot.in_flight for slot in current)
        over = used > self.rules.target_use * self.rules.concurrency * len(current)
        return [self._start("ahead", now_s)] if over and self._may_start(now_s) else []

    def _serve_queue(self, now_s: float) -> list[Action]:
        actions: list[Action] = []
        while self.waiting and (instance := self._free()) is not None:
            actions.append(self._assign(self.waiting.popleft(), instance, now_s))
        return actions

    def _drop_retired(self, instance: int) -> list[Action]:
        slot = self.slots[instance]
        unused = slot.in_flight == 0 and slot.bound_to is None
        if slot.version == self.version or not unused:
            return []
        del self.slots[instance]
        return [Stop(instance, "retired")]

    def _reap(self, now_s: float) -> list[Action]:
        idle = [
            (slot.free_since_s, instance)
            for instance, slot in self.slots.items()
            if slot.ready_s is not None and slot.in_flight == 0 and self._is_over(slot, now_s)
        ]
        spare = max(len(self.slots) - self.rules.min_instances, 0)
        stops: list[Action] = []
        for _, instance in sorted(idle)[:spare]:
            del self.slots[instance]
            stops.append(Stop(instance, "idle"))
        return stops

    def _becomes_idle(self, instance: int, now_s: float) -> None:
        """Draw how long it will live without a request, by the seed."""
        slot = self.slots[instance]
        slot.free_since_s, slot.halvings = now_s, 0
        slot.idle_periods += 1
        slot.life_s = self.rules.idle_life.draw(Random(f"{self.seed}/{instance}/{slot.idle_periods}"))

    def _is_over(self, slot: Slot, now_s: float) -> bool:
        """Whether an idle instance has lived its time; where they halve, every second one of those idle together."""
        idle_s, period_s = now_s - slot.free_since_s, self.rules.idle_life.halves_every_s
        if period_s is None:
            return idle_s >= slot.life_s
        level = int(idle_s / period_s)
        if level <= slot.halvings:
            return False
        slot.halvings = level
        while self._halved and self._halved[0][0] < now_s - period_s / 2:
            self._halved.popleft()
        beside = [ended for _, each, ended in self._halved if each == level]
        ends = beside.count(True) <= beside.count(False)
        self._halved.append((now_s, level, ends))
        return ends

    def _too_often(self, now_s: float) -> bool:
        """Whether the last second had as many requests as the platform takes."""
        limit = self.rules.requests_per_s
        if limit is None:
            return False
        while self._arrivals and self._arrivals[0] <= now_s - 1.0:
            self._arrivals.popleft()
        if len(self._arrivals) >= limit:
            return True
        self._arrivals.append(now_s)
        return False

    def _expire(self, now_s: float) -> list[Action]:
        """Refuse who waited too long; a place in an instance that is starting is worth the wait."""
        refused: list[Action] = []
        while (
            len(self.waiting) > self._places_starting() and now_s - self.waiting[0].since_s >= self.rules.queue_wait_s
        ):
            refused.append(Refuse(self.waiting.popleft().request, "queue"))
        return refused

    def _keep_minimum(self, now_s: float) -> list[Action]:
        starts: list[Action] = []
        while sum(s.version == self.version for s in self.slots.values()) < self.rules.min_instances:
            if not self._may_start(now_s):
                break
            starts.append(self._start("minimum", now_s))
        return starts
