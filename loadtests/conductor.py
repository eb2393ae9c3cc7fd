"""The master's part of a run: phases, the store, and what became of each worker."""

from __future__ import annotations

import logging
import os
from dataclasses import astuple, dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
from locust.runners import STATE_MISSING

from loadtests.arrivals import Arrival, split
from loadtests.delivery import Inbox
from loadtests.launch import Progress, progress_line
from loadtests.store import Event, Store, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.env import Environment
    from locust.rpc import Message

    from loadtests.planning import Plan

LOG = logging.getLogger(__name__)
ROWS_PER_MESSAGE = 5000
READY_WITHIN_S = 30.0
DONE_WITHIN_S = 90.0  # after the last due time and its timeout
HALT_WITHIN_S = 12.0
TICK_S = 0.2

FAILED, STOPPED_EARLY = 2, 3


class RunFailed(Exception):
    """The run cannot go on; the message says why."""


@dataclass(slots=True)
class WorkerState:
    """What the master knows of one worker; `share` is what it has to send in the phase that is under way."""

    ready: bool = False
    share: list[Arrival] = field(default_factory=list)
    assigned: int = 0
    idle: bool = True
    lost: bool = False


class Conductor:
    """One run from its plan to its end, in a greenlet of the master (or only) process.

    `open_run` makes the plan and the store. Locust's exit code is set when the run fails; `ended` is called with
    it when the run is over, however it ended.
    """

    def __init__(
        self,
        environment: Environment,
        *,
        open_run: Callable[[], tuple[Plan, Store]],
        ended: Callable[[], None],
        parent_pid: int | None = None,
    ) -> None:
        self._environment = environment
        self._runner: Any = environment.runner
        self._open_run = open_run
        self._ended = ended
        self._parent_pid = parent_pid
        self._workers: dict[str, WorkerState] = {}
        self._store: Store | None = None
        self._inbox: Inbox | None = None
        self._failure: str | None = None
        self._greenlet: gevent.Greenlet | None = None
        self._origin_s = perf_counter()
        for name in ("ready", "samples", "done", "pulse"):
            self._runner.register_message(f"tripoint-{name}", getattr(self, f"_on_{name}"))

    def start(self) -> None:
        """Run in the background."""
        self._workers, self._failure = {}, None
        self._origin_s = perf_counter()
        self._greenlet = gevent.spawn(self._run)

    @property
    def running(self) -> bool:
        return self._greenlet is not None and not self._greenlet.dead

    def interrupt(self, reason: str) -> None:
        """End early: the workers stop and deliver; the store says why. Harmless when the run is over."""
        if not self.running or gevent.getcurrent() is self._greenlet:
            return
        assert self._greenlet is not None
        self._greenlet.kill(block=True)
        self._halt()
        self._close("interrupted", {"reason": reason})
        self._environment.process_exit_code = STOPPED_EARLY

    def _run(self) -> None:
        try:
            plan, self._store = self._open_run()
            self._inbox = Inbox(self._store)
            self._origin_s = perf_counter()
            self._gather(plan)
            for place in range(len(plan.phases)):
                self._conduct(plan, place)
            self._close("finished", {})
        except (RunFailed, StoreError) as error:
            self._halt()
            LOG.error("tripoint: %s", error)
            self._environment.process_exit_code = FAILED
            self._close("failed", {"reason": str(error)})
        gevent.spawn(self._ended)  # it stops Locust, and with it greenlets: not from within this one

    def _gather(self, plan: Plan) -> None:
        """Have every connected worker load the images, and start its clock."""
        clients = getattr(self._runner, "clients", None)
        names = list(clients) if clients is not None else [self._runner.client_id]
        self._workers = {name: WorkerState() for name in names}
        settings = {
            "targets": [target.document() for target in plan.targets],
            "images": plan.images,
            "timeout_s": plan.timeout_s,
            "in_flight_max": plan.in_flight_max,
        }
        self._origin_s = perf_counter()
        self._tell("begin", settings)
        self._wait(lambda state: state.ready, within_s=READY_WITHIN_S, what="load its images")
        for name in names:
            self._note("worker-started", name)

    def _conduct(self, plan: Plan, place: int) -> None:
        """One phase: hand out the shares, say go, wait until every worker that lives has delivered."""
        phase = plan.phases[place]
        arrivals = [arrival for arrival in plan.arrivals if arrival.phase == place]
        living = [name for name, state in self._workers.items() if not state.lost]
        shares = split(arrivals, len(living)) if phase.loop == "open" else [arrivals, *([] for _ in living[1:])]
        for name, share in zip(living, shares, strict=True):
            self._hand_out(name, share)
        self._note("phase", document={"place": place, "name": phase.name, "requests": len(arrivals)})
        self._tell("go", {"phase": place, "loop": phase.loop})
        last_s = arrivals[-1].at_s if arrivals else 0.0
        slack_s = len(arrivals) * plan.timeout_s if phase.loop == "serial" else plan.timeout_s
        self._wait(
            lambda state: state.idle,
            within_s=last_s + slack_s + DONE_WITHIN_S,
            what=f"finish phase {phase.name!r}",
            progress=(phase.name, len(arrivals), last_s if phase.loop == "open" else None),
        )

    def _hand_out(self, name: str, share: list[Arrival]) -> None:
        state = self._workers[name]
        state.share, state.assigned, state.idle = share, state.assigned + len(share), False
        for start in range(0, len(share), ROWS_PER_MESSAGE):
            rows = [astuple(arrival) for arrival in share[start : start + ROWS_PER_MESSAGE]]
            self._tell("share", {"rows": rows}, worker=name)

    def _wait(
        self,
        until: Callable[[WorkerState], bool],
        *,
        within_s: float,
        what: str,
        progress: tuple[str, int, float | None] | None = None,
    ) -> None:
        """Wait until every worker that lives is so far; raise RunFailed when none lives, or one takes too long."""
        start_s = perf_counter()
        before = self._received()
        while not all(until(state) or state.lost for state in self._workers.values()):
            gevent.sleep(TICK_S)
            self._check(perf_counter() - start_s)
            if perf_counter() - start_s > within_s:
                late = [name for name, state in self._workers.items() if not until(state) and not state.lost]
                raise RunFailed(f"worker {', '.join(late)} did not {what} within {within_s:.0f} s; see its log")
            if progress is not None:
                self._report(progress, self._received() - before, perf_counter() - start_s)
        if progress is not None:
            self._report(progress, progress[1], perf_counter() - start_s)
        if all(state.lost for state in self._workers.values()):
            raise RunFailed("every worker was lost: what was measured is kept; resume the run with --resume")

    def _check(self, phase_s: float) -> None:
        """Raise RunFailed after a failure elsewhere; note workers that were lost."""
        if self._failure is not None:
            raise RunFailed(self._failure)
        if self._parent_pid is not None and os.getppid() != self._parent_pid:
            raise RunFailed("the process that started this run is gone")
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return
        for name, state in self._workers.items():
            if not state.lost and (name not in clients or clients[name].state == STATE_MISSING):
                state.lost = True
                self._count_loss(name, state, phase_s)

    def _count_loss(self, name: str, state: WorkerState, phase_s: float) -> None:
        """Note what a lost worker had been given, what of it is stored, and how much was due by now."""
        received = self._inbox.received.get(name, 0) if self._inbox is not None else 0
        due = state.assigned - len(state.share) + sum(arrival.at_s <= phase_s for arrival in state.share)
        loss = {
            "assigned": state.assigned,
            "received": received,
            "undelivered": max(due - received, 0),
            "unsent": state.assigned - max(due, received),
        }
        LOG.warning("worker %s was lost: %s", name, loss)
        self._note("worker-lost", name, loss)

    def _received(self) -> int:
        return sum(self._inbox.received.values()) if self._inbox is not None else 0

    def _report(self, progress: tuple[str, int, float | None], done: int, elapsed_s: float) -> None:
        """Print one line for `loadtests.launch`, which waits for it; nobody else is disturbed."""
        if self._parent_pid is None:
            return
        name, total, last_s = progress
        if last_s is not None:
            left_s: float | None = max(last_s - elapsed_s, 0.0)
        else:
            left_s = elapsed_s / done * (total - done) if done else None
        print(progress_line(Progress(name, min(done, total), total, elapsed_s, left_s)), flush=True)

    def _halt(self) -> None:
        """Have the workers stop and deliver; wait a little for them."""
        for state in self._workers.values():
            state.idle = state.lost
        self._tell("halt", {})
        end_s = perf_counter() + HALT_WITHIN_S
        while not all(state.idle for state in self._workers.values()) and perf_counter() < end_s:
            gevent.sleep(TICK_S)

    def _close(self, kind: str, document: dict[str, Any]) -> None:
        if self._store is None:
            return
        if self._failure is None or kind != "failed":
            self._note(kind, document=document)
        self._store.close()
        self._store = self._inbox = None

    def _note(self, kind: str, worker: str = "", document: dict[str, Any] | None = None) -> None:
        if self._store is not None:
            self._store.record(Event(perf_counter() - self._origin_s, kind, worker, document or {}))

    def _tell(self, name: str, data: dict[str, Any], *, worker: str | None = None) -> None:
        for each in [worker] if worker else [name for name, state in self._workers.items() if not state.lost]:
            self._runner.send_message(f"tripoint-{name}", data, client_id=each)

    def _worker(self, msg: Message) -> str:
        """The worker's name: the local runner calls itself something else in its messages."""
        return str(getattr(self._runner, "client_id", msg.node_id))

    def _on_ready(self, environment: Environment, msg: Message, **_: Any) -> None:
        name = self._worker(msg)
        if "error" in msg.data:
            self._failure = f"worker {name}: {msg.data['error']}"
        if name in self._workers:
            self._workers[name].ready = True

    def _on_samples(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self._inbox is None or self._failure is not None:
            return
        name = self._worker(msg)
        try:
            batch = self._inbox.take(name, msg.data)
        except StoreError as error:
            self._failure = str(error)
            return
        self._runner.send_message("tripoint-ack", {"batch": batch}, client_id=name)

    def _on_done(self, environment: Environment, msg: Message, **_: Any) -> None:
        if msg.data["undelivered"] and self._failure is None:
            self._failure = f"worker {self._worker(msg)} could not deliver {msg.data['undelivered']} samples"
        if (state := self._workers.get(self._worker(msg))) is not None:
            state.idle = True

    def _on_pulse(self, environment: Environment, msg: Message, **_: Any) -> None:
        try:
            self._note("pulse", self._worker(msg), dict(msg.data))
        except StoreError as error:
            self._failure = str(error)
