"""The worker's part of a run: takes its share of the schedule from the master, plays it, delivers the samples.

In a run of one process the same code talks to a master in the same process: Locust's local runner carries the
messages.
"""

from __future__ import annotations

import gc
import logging
import time
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import gevent
import psutil
from gevent.event import AsyncResult
from locust.exception import RPCError

from loadtests.cost.budget import share_of
from loadtests.credentials.channel import RETIRE_WITHIN_S
from loadtests.credentials.credentials import Credentials
from loadtests.plan.payloads import PayloadsError, payloads_digest, read_payloads
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.send.closed_loop import ClosedLoop
from loadtests.send.delivery import Outbox
from loadtests.send.dispatcher import Dispatcher
from loadtests.send.requester import Requester

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from locust.env import Environment
    from locust.rpc import Message

LOG = logging.getLogger(__name__)
FLUSH_EVERY_S = 0.25
PULSE_EVERY_S = 2.0
START_DELAY_S = 0.2  # from "go" to the first due time: the first requests of a phase are not late by its set-up
STOP_GRACE_S = 5.0
DELIVER_WITHIN_S = 60.0


class Worker:
    """One worker; `images` is the folder of its own machine that holds the run's image set."""

    def __init__(self, environment: Environment, *, images: Path) -> None:
        self._runner = cast("Any", environment.runner)
        self._images = images
        self._outbox = Outbox(lambda message: self._send("samples", message))
        self._share: list[Arrival] = []
        self._settings: Mapping[str, Any] = {}
        self._requester: Requester | None = None
        self._keys: Credentials | None = None
        self._retired: AsyncResult[bool] = AsyncResult()
        self._dispatcher: Dispatcher | None = None
        self._conversation: ClosedLoop | None = None
        self._visitors = 0
        self._halted = False
        self._process = psutil.Process()
        self._flusher: gevent.Greenlet[..., None] | None = None
        for name in ("begin", "share", "go", "ack", "cut", "halt", "passes", "retired"):
            self._runner.register_message(f"tripoint-{name}", getattr(self, f"_on_{name}"))

    @property
    def worker(self) -> str:
        """This worker's name in samples and messages."""
        return str(self._runner.client_id)

    def send_next(self) -> None:
        """What one of Locust's users does: a request and a pause in a closed-loop phase, else nothing for a while."""
        conversation = self._conversation
        if conversation is None or self._requester is None:
            gevent.sleep(0.1)
            return
        arrival = conversation.next_arrival()
        if not self._admit(arrival):
            self._conversation = None
            return
        self._visitors += 1
        try:
            self._requester.prepare(arrival)
            self._requester.send(arrival, perf_counter())
        finally:
            self._visitors -= 1
        gevent.sleep(conversation.think_time_s())

    def stop(self) -> None:
        """Send nothing more, wait a little for what is under way, deliver what there is."""
        self._halted = True
        if self._dispatcher is not None:
            self._dispatcher.stop(grace_s=STOP_GRACE_S)
        self._deliver(within_s=STOP_GRACE_S)

    def _on_begin(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._begin, environment, msg.data)

    def _on_share(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._share.extend(Arrival(*row) for row in msg.data["rows"])

    def _on_go(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._run_phase, msg.data)  # the local runner would wait for us

    def _on_ack(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._outbox.confirm(msg.data["batch"])

    def _on_cut(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self._dispatcher is not None:
            self._dispatcher.cut()
        self._conversation = None

    def _on_passes(self, environment: Environment, msg: Message, **_: Any) -> None:
        if self._keys is not None:
            self._keys.refresh(msg.data)

    def _on_retired(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._retired.set(msg.data["done"])

    def _on_halt(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._halt)

    def _halt(self) -> None:
        self.stop()
        self._say_done()

    def _begin(self, environment: Environment, settings: Mapping[str, Any]) -> None:
        """Start this worker's clock, `begin_s` into the run, and load the images."""
        origin_s = perf_counter() - settings["begin_s"]
        try:
            pictures = read_payloads(self._images)
        except PayloadsError as error:
            self._send("ready", {"error": str(error)})
            return
        if payloads_digest(pictures) != settings["images"]:
            self._send("ready", {"error": f"{self._images} holds other images than the master's folder: copy them"})
            return
        self._settings, self._share, self._halted = settings, [], False
        self._keys = Credentials(settings["passes"]) if settings["passes"] is not None else None
        self._requester = Requester(
            [Target.from_document(each) for each in settings["targets"]],
            pictures,
            worker=self.worker,
            timeout_s=settings["timeout_s"],
            keep=self._outbox.add,
            fire=environment.events.request.fire,
            keys=self._keys,
            budget=share_of(settings["budget"]) if settings["budget"] else None,
            ask=self._request_cold_start,
        )
        self._requester.origin_s = origin_s
        self._process.cpu_percent(), psutil.cpu_percent()  # the first reading of each is void
        if self._flusher is None or self._flusher.dead:
            self._flusher = gevent.spawn(self._flush_for_ever)
        gc.collect()
        gc.freeze()  # the images and the program: a collection in the middle of the run would delay requests
        self._send("ready", {})

    def _run_phase(self, order: Mapping[str, Any]) -> None:
        """Play one phase, deliver its samples, and say so."""
        share, self._share = self._share, []
        phase = order["phase"]
        if self._halted or self._requester is None:
            return
        self._dispatcher = Dispatcher(
            send=self._requester.send,
            drop=self._requester.drop,
            retire=self._requester.force_cold_start,
            in_flight_max=self._settings["in_flight_max"],
            prepare=self._requester.prepare if self._keys is not None else None,
            admit=self._admit,
        )
        if phase["loop"] == "serial":
            self._dispatcher.play_serial(share)
        elif phase["loop"] == "closed":
            self._run_closed_loop(order, self._dispatcher)
        else:
            self._dispatcher.play_open(share, start_s=perf_counter() + START_DELAY_S)
        if not self._halted:
            self._deliver(within_s=DELIVER_WITHIN_S)
            self._say_done()

    def _admit(self, arrival: Arrival) -> bool:
        """Whether this worker's share of the budget holds one more request; the master is told when it does not."""
        admitted = self._requester is not None and self._requester.admit(arrival)
        if not admitted:
            self._send("exhausted", {})
        return admitted

    def _request_cold_start(self, target: str) -> bool:
        """Have the master see to it that the target's next request starts a new instance."""
        self._retired = AsyncResult()
        self._send("retire", {"target": target})
        try:
            return bool(self._retired.get(timeout=RETIRE_WITHIN_S))
        except gevent.Timeout:
            return False

    def _run_closed_loop(self, order: Mapping[str, Any], dispatcher: Dispatcher) -> None:
        """Let Locust's users ask for the phase's duration; return when the last answer is there."""
        settings, phase = self._settings, order["phase"]
        self._conversation = ClosedLoop(
            [target["name"] for target in settings["targets"]],
            images=settings["image_count"],
            think_s=phase["think_s"],
            seed=f"{settings['seed']}/{order['place']}/{order['first']}",
            first=order["first"],
            step=order["step"],
            place=order["place"],
        )
        dispatcher.wait(phase["duration_s"])
        self._conversation = None
        while self._visitors and not self._halted:
            gevent.sleep(0.05)

    def _deliver(self, *, within_s: float) -> None:
        end_s = perf_counter() + within_s
        self._outbox.flush(perf_counter())
        while self._outbox.pending and perf_counter() < end_s:
            gevent.sleep(0.05)
            self._outbox.flush(perf_counter())

    def _flush_for_ever(self) -> None:
        pulse_s = perf_counter()
        while True:
            gevent.sleep(FLUSH_EVERY_S)
            now_s = perf_counter()
            self._outbox.flush(now_s)
            if now_s - pulse_s >= PULSE_EVERY_S:
                pulse_s = now_s
                self._send("pulse", self._pulse())

    def _pulse(self) -> dict[str, float]:
        """Processor use of this process and of the machine, and the wall clock against the steady one."""
        return {
            "cpu_percent": self._process.cpu_percent(),
            "machine_percent": psutil.cpu_percent(),
            "wall_minus_steady_s": time.time() - perf_counter(),
        }

    def _say_done(self) -> None:
        budget = self._requester.budget if self._requester is not None else None
        spent = {} if budget is None else {"spent_usd": str(budget.spent_usd + budget.reserved_usd)}
        self._send("done", {"undelivered": self._outbox.pending, **spent})

    def _send(self, name: str, data: dict[str, Any]) -> None:
        try:
            self._runner.send_message(f"tripoint-{name}", data)
        except RPCError as error:  # samples are sent again; Locust itself restores the connection
            LOG.warning("message %r to the master was not sent: %s", name, error)
