"""The master's part of a run: one phase after the other, the store, and the end."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent

from loadtests.launch import RunProgress, progress_line
from loadtests.plan.scenarios import ROUND
from loadtests.plan.schedule import split
from loadtests.record.store import Event, StoreError
from loadtests.run.guard import BudgetGuard
from loadtests.run.idle_timeout import change_idle_life
from loadtests.run.workers import WorkerPool
from loadtests.send.delivery import Inbox

if TYPE_CHECKING:
    from loadtests.record.store import Store
    from loadtests.run.early_stop import EarlyStop
    from loadtests.run.preparation import PreparedRun
    from loadtests.run.workers import WorkerNode
    from loadtests.send.messages import MasterChannel

    Opened = tuple[PreparedRun, Store, EarlyStop | None]

LOG = logging.getLogger(__name__)
READY_WITHIN_S = 30.0
DONE_WITHIN_S = 90.0  # after the last due time and its timeout
HALT_WITHIN_S = 12.0
TICK_S = 0.2
PARENT_GONE = "the process that started this run is gone"
FAILED, STOPPED_EARLY = 2, 3


class RunFailed(Exception):
    """The run cannot go on; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class RoundsProgress:
    """The rounds of a run: `total` requests, begun at `start_s` when `before` samples had been received."""

    total: int
    before: int
    start_s: float


class RunMaster:
    """One run from its plan to its end, in a greenlet of the master (or only) process.

    `open_run` makes the plan and the store. `set_exit_code` is called when the run fails or is interrupted, and
    `ended` when the run is over by itself. The run fails when the process `parent_pid` is gone.
    """

    def __init__(
        self,
        channel: MasterChannel,
        *,
        open_run: Callable[[], Opened],
        set_exit_code: Callable[[int], None],
        ended: Callable[[], None],
        parent_pid: int | None = None,
    ) -> None:
        self._set_exit_code = set_exit_code
        self._open_run = open_run
        self._ended = ended
        self._parent_pid = parent_pid
        self._pool = WorkerPool(channel)
        self._guard = BudgetGuard(self._pool)
        self._pool.listen("samples", self._on_samples)
        self._pool.listen("pulse", self._on_pulse)
        self._store: Store | None = None
        self._inbox: Inbox | None = None
        self._early_stop: EarlyStop | None = None
        self._enough = False
        self._rounds: RoundsProgress | None = None
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._origin_s = perf_counter()

    def start(self) -> None:
        """Run in the background."""
        self._greenlet = gevent.spawn(self._run)
        self._greenlet.link_exception(self._crash)

    def _crash(self, running: gevent.Greenlet[..., None]) -> None:
        """End the run after a programming error, which must not leave a load test that never ends."""
        LOG.error("tripoint: the run broke: %r; its traceback is above", running.exception)
        self._set_exit_code(FAILED)
        self._finish("failed", {"reason": repr(running.exception)})
        self._ended()

    def interrupt(self, reason: str) -> None:
        """End early: the workers stop and deliver; the store says why. Harmless when the run is over."""
        running = self._greenlet
        if running is None or running.dead or gevent.getcurrent() is running:
            return
        running.kill(block=True)
        self._stop_workers()
        self._finish("interrupted", {"reason": reason})
        self._set_exit_code(STOPPED_EARLY)

    def report(
        self, phase: str, done: int, total: int, *, elapsed_s: float = 0.0, left_s: float | None = None
    ) -> None:
        """Print one line for `loadtests.launch`, which waits for it; nobody else is disturbed."""
        if self._parent_pid is None:
            return
        try:
            print(progress_line(RunProgress(phase, min(done, total), total, elapsed_s, left_s)), flush=True)
        except OSError as error:  # a broken pipe: nobody reads any more
            raise RunFailed(PARENT_GONE) from error

    def _run(self) -> None:
        try:
            plan, self._store, self._early_stop = self._open_run()
            self._enough, self._rounds = False, None
            self._inbox = Inbox(self._store)
            self._start_workers(plan)
            for index, phase in enumerate(plan.phases):
                if not (self._guard.exhausted or self._enough):
                    self._run_phase(plan, index, phase)
            self._record_spending(plan)
            self._finish("finished", {})
        except (RunFailed, StoreError) as error:
            LOG.error("tripoint: %s", error)
            self._stop_workers()
            self._set_exit_code(FAILED)
            self._finish("failed", {"reason": str(error)})
        gevent.spawn(self._ended)  # it stops Locust, and with it greenlets: not from within this one

    def _start_workers(self, plan: PreparedRun) -> None:
        """Have every connected worker load the images and start its clock."""
        names = self._pool.take_in_workers()
        self._origin_s = plan.origin_s
        self._guard.begin(plan.resources)
        self._pool.send("begin", plan.settings(len(names)))
        self._wait(lambda worker: worker.ready, within_s=READY_WITHIN_S, what="load its images")
        for name in names:
            self._note("worker-started", name)

    def _record_spending(self, plan: PreparedRun) -> None:
        """Note what the run cost at most, and that it ended for it."""
        for name, worker in self._pool.workers.items():
            self._guard.add_spending(name, worker.last_report)
        if (bill := self._guard.spending_document()) is not None:
            self._note("spent", document=bill)
        if self._guard.exhausted:
            LOG.info("stopping: %s", self._guard.reason())
            unsent = max(len(plan.arrivals) - self._received(), 0)
            self._note("enough", document={"reason": self._guard.reason(), "unsent": unsent})

    def _run_phase(self, plan: PreparedRun, index: int, phase: Mapping[str, Any]) -> None:
        """Assign the shares of one phase, start it, and wait until every worker that lives has delivered."""
        arrivals = [arrival for arrival in plan.arrivals if arrival.phase == index]
        closed = phase["loop"] == "closed"
        if not arrivals and not closed:
            return
        living = self._pool.living()
        shares = split(arrivals, len(living)) if phase["loop"] == "open" else [arrivals, *([] for _ in living[1:])]
        for name, share in zip(living, shares, strict=True):
            self._pool.assign(name, share)
        self._note("phase", document={"place": index, "name": phase["name"], "requests": len(arrivals)})
        self._set_idle_life(plan, phase.get("idle_life_s"))
        for turn, name in enumerate(living):
            order = {"index": index, "phase": dict(phase), "first": len(plan.arrivals) + turn, "step": len(living)}
            self._pool.send("go", order, worker=name)
        last_s = float(phase["duration_s"]) if closed else arrivals[-1].offset_s
        self._wait_for_phase(plan, phase, total=len(arrivals), last_s=last_s)
        if phase.get("idle_life_s") is not None:
            self._set_idle_life(plan, None, always=True)

    def _wait_for_phase(self, plan: PreparedRun, phase: Mapping[str, Any], *, total: int, last_s: float) -> None:
        before = self._received()
        serial = phase["loop"] == "serial"
        rounds = self._rounds_of(plan, phase)

        def tick(elapsed_s: float) -> None:
            done = self._received() - before
            if rounds is not None:
                self._report_rounds(rounds)
            else:
                paced_s = elapsed_s / done * (total - done) if done else None
                left_s = paced_s if serial else max(last_s - elapsed_s, 0.0)
                self.report(phase["name"], done, total or done, elapsed_s=elapsed_s, left_s=left_s)
            if not serial:
                self._check_early_stop(len(plan.arrivals) - self._received())

        self._wait(
            lambda worker: worker.idle,
            within_s=last_s + plan.timeout_s * (total if serial else 1) + DONE_WITHIN_S,
            what=f"finish phase {phase['name']!r}",
            tick=tick,
        )
        if rounds is not None:
            self._report_rounds(rounds)
        else:
            self.report(phase["name"], total, total, left_s=0.0)

    def _rounds_of(self, plan: PreparedRun, phase: Mapping[str, Any]) -> RoundsProgress | None:
        """The progress of all rounds together, of which `phase` is a part; None where it is not."""
        if not phase["name"].startswith(ROUND):
            return None
        if self._rounds is None:
            inside = {index for index, each in enumerate(plan.phases) if each["name"].startswith(ROUND)}
            total = sum(arrival.phase in inside for arrival in plan.arrivals)
            self._rounds = RoundsProgress(total, self._received(), perf_counter())
        return self._rounds

    def _report_rounds(self, rounds: RoundsProgress) -> None:
        """One bar for all rounds; what is left follows from the pace so far."""
        done, elapsed_s = self._received() - rounds.before, perf_counter() - rounds.start_s
        left_s = elapsed_s / done * max(rounds.total - done, 0) if done else None
        self.report("rounds", done, rounds.total, elapsed_s=elapsed_s, left_s=left_s)

    def _wait(
        self,
        until: Callable[[WorkerNode], bool],
        *,
        within_s: float,
        what: str,
        tick: Callable[[float], None] = lambda elapsed_s: None,
    ) -> None:
        """Wait for `until` of every worker that lives. Raises RunFailed when none lives, or one takes too long."""
        start_s = perf_counter()
        while not all(until(worker) or worker.missing for worker in self._pool.workers.values()):
            gevent.sleep(TICK_S)
            elapsed_s = perf_counter() - start_s
            self._check(elapsed_s)
            tick(elapsed_s)
            if elapsed_s > within_s:
                late = [name for name in self._pool.living() if not until(self._pool.workers[name])]
                raise RunFailed(f"worker {', '.join(late)} did not {what} within {within_s:.0f} s; see its log")
        self._check(perf_counter() - start_s)

    def _check(self, phase_s: float) -> None:
        """Raise RunFailed after a failure elsewhere; note workers that were lost."""
        if self._pool.trouble is not None:
            raise RunFailed(self._pool.trouble)
        if self._parent_pid is not None and os.getppid() != self._parent_pid:
            raise RunFailed(PARENT_GONE)
        for name in self._pool.newly_missing():
            received = self._inbox.received.get(name, 0) if self._inbox is not None else 0
            loss = self._pool.workers[name].failure(received=received, phase_s=phase_s)
            LOG.warning("worker %s was lost: %s", name, loss)
            self._note("worker-lost", name, loss)
        if not self._pool.living():
            raise RunFailed("every worker was lost: what was measured is kept; resume the run with --resume")

    def _check_early_stop(self, unsent: int) -> None:
        """Let the stopping rule decide; when it says so, this phase ends here."""
        decision = self._early_stop.check() if self._early_stop is not None else None
        if decision is not None and decision.stop:
            LOG.info("stopping: %s", decision.reason)
            self._note("enough", document={"reason": decision.reason, "unsent": max(unsent, 0)})
            self._early_stop, self._enough = None, True
            self._pool.send("cut", {})

    def _set_idle_life(self, plan: PreparedRun, idle_life_s: float | None, *, always: bool = False) -> None:
        """Have local clouds end idle instances after that time; None gives them their default back."""
        if idle_life_s is None and not always:
            return
        refused = change_idle_life(plan.targets, idle_life_s)
        if refused:
            self._note("idle-life-not-set", document={"targets": refused, "idle_life_s": idle_life_s})

    def _received(self) -> int:
        return sum(self._inbox.received.values()) if self._inbox is not None else 0

    def _stop_workers(self) -> None:
        """Have the workers stop and deliver; wait a little for them."""
        self._pool.halt()
        end_s = perf_counter() + HALT_WITHIN_S
        while not all(worker.idle for worker in self._pool.workers.values()) and perf_counter() < end_s:
            gevent.sleep(TICK_S)

    def _finish(self, kind: str, document: dict[str, Any]) -> None:
        """Note the end and close the store; a store that cannot be written any more says nothing."""
        if self._store is None:
            return
        try:
            self._note(kind, document=document)
        except StoreError as error:
            LOG.error("tripoint: the end of the run is not noted: %s", error)
        self._store.close()
        self._store = self._inbox = None

    def _note(self, kind: str, worker: str = "", document: Mapping[str, Any] | None = None) -> None:
        if self._store is not None:
            self._store.record(Event(perf_counter() - self._origin_s, kind, worker, document or {}))

    def _on_samples(self, worker: str, data: Mapping[str, Any]) -> None:
        """Store a batch and confirm it. A sink that fails fails the run: see `_check`."""
        if self._inbox is None or self._pool.trouble is not None:
            return
        try:
            batch, new = self._inbox.take(worker, data)
        except StoreError as error:
            self._pool.trouble = str(error)
            return
        if self._early_stop is not None:
            self._early_stop.add(new)
        self._pool.send("ack", {"batch": batch}, worker=worker)

    def _on_pulse(self, worker: str, data: Mapping[str, Any]) -> None:
        try:
            self._note("pulse", worker, data)
        except StoreError as error:
            self._pool.trouble = str(error)
