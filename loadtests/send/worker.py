"""The worker's part of a run: it receives its share of the schedule, sends the requests and delivers the samples.

In a run of one process the same code exchanges messages with a master in the same process.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import psutil
from gevent.event import AsyncResult

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
    from loadtests.send.messages import MessageChannel

LOG = logging.getLogger(__name__)
FLUSH_EVERY_S = 0.25
PULSE_EVERY_S = 2.0
START_DELAY_S = 0.2  # from "go" to the first due time: the first requests of a phase are not late by its set-up
STOP_GRACE_S = 5.0
DELIVER_WITHIN_S = 60.0


class Worker:
    """One worker of a run.

    `images` is the folder on its own machine that holds the run's image set. `request_event` is called with the
    fields of Locust's request event for every sample.
    """

    def __init__(
        self, channel: MessageChannel, *, images: Path, request_event: Callable[..., object] | None = None
    ) -> None:
        self._channel = channel
        self._request_event = request_event
        self._images = images
        self._outbox = Outbox(lambda message: self._send("samples", message))
        self._share: list[Arrival] = []
        self._settings: Mapping[str, Any] = {}
        self._requester: Requester | None = None
        self._credentials: Credentials | None = None
        self._retired: AsyncResult[bool] = AsyncResult()
        self._dispatcher: Dispatcher | None = None
        self._closed_loop: ClosedLoop | None = None
        self._users_sending = 0
        self._halted = False
        self._process = psutil.Process()
        self._flusher: gevent.Greenlet[..., None] | None = None
        for name in ("begin", "share", "go", "ack", "cut", "halt", "passes", "retired"):
            channel.listen(name, getattr(self, f"_on_{name}"))

    @property
    def worker(self) -> str:
        """This worker's name in samples and messages."""
        return self._channel.client_id

    def send_next(self) -> None:
        """Send one request of one of Locust's users and pause; outside a closed-loop phase only wait a little."""
        closed_loop = self._closed_loop
        if closed_loop is None or self._requester is None:
            gevent.sleep(0.1)
            return
        arrival = closed_loop.next_arrival()
        if not self._admit(arrival):
            self._closed_loop = None
            return
        self._users_sending += 1
        try:
            self._requester.prepare(arrival)
            self._requester.send(arrival, perf_counter())
        finally:
            self._users_sending -= 1
        gevent.sleep(closed_loop.think_time_s())

    def stop(self) -> None:
        """Send nothing more, wait a little for what is under way, deliver what there is."""
        self._halted = True
        if self._dispatcher is not None:
            self._dispatcher.stop(grace_s=STOP_GRACE_S)
        self._deliver(within_s=STOP_GRACE_S)

    def _on_begin(self, sender: str, data: Mapping[str, Any]) -> None:
        gevent.spawn(self._begin, data)

    def _on_share(self, sender: str, data: Mapping[str, Any]) -> None:
        self._share.extend(Arrival(*row) for row in data["rows"])

    def _on_go(self, sender: str, data: Mapping[str, Any]) -> None:
        gevent.spawn(self._run_phase, data)  # in one process the master would wait for us

    def _on_ack(self, sender: str, data: Mapping[str, Any]) -> None:
        self._outbox.confirm(data["batch"])

    def _on_cut(self, sender: str, data: Mapping[str, Any]) -> None:
        if self._dispatcher is not None:
            self._dispatcher.cut()
        self._closed_loop = None

    def _on_passes(self, sender: str, data: Mapping[str, Any]) -> None:
        if self._credentials is not None:
            self._credentials.refresh(data)

    def _on_retired(self, sender: str, data: Mapping[str, Any]) -> None:
        self._retired.set(data["done"])

    def _on_halt(self, sender: str, data: Mapping[str, Any]) -> None:
        gevent.spawn(self._halt)

    def _halt(self) -> None:
        self.stop()
        self._report_done()

    def _begin(self, settings: Mapping[str, Any]) -> None:
        """Start this worker's clock, `begin_s` into the run, and load the images."""
        origin_s = perf_counter() - settings["begin_s"]
        try:
            payloads = read_payloads(self._images)
        except PayloadsError as error:
            self._send("ready", {"error": str(error)})
            return
        if payloads_digest(payloads) != settings["images"]:
            self._send("ready", {"error": f"{self._images} holds other images than the master's folder: copy them"})
            return
        self._settings, self._share, self._halted = settings, [], False
        self._credentials = Credentials(settings["passes"]) if settings["passes"] is not None else None
        self._requester = Requester(
            [Target.from_document(target) for target in settings["targets"]],
            payloads,
            worker=self.worker,
            timeout_s=settings["timeout_s"],
            on_sample=self._outbox.add,
            request_event=self._request_event,
            credentials=self._credentials,
            budget=share_of(settings["budget"]) if settings["budget"] else None,
            force_cold_start=self._request_cold_start,
        )
        self._requester.origin_s = origin_s
        self._process.cpu_percent(), psutil.cpu_percent()  # the first reading of each is void
        if self._flusher is None or self._flusher.dead:
            self._flusher = gevent.spawn(self._flush_for_ever)
        gc.collect()
        gc.freeze()  # the images and the program: a collection in the middle of the run would delay requests
        self._send("ready", {})

    def _run_phase(self, order: Mapping[str, Any]) -> None:
        """Send the requests of one phase, deliver its samples, and report that it is done."""
        share, self._share = self._share, []
        phase = order["phase"]
        if self._halted or self._requester is None:
            return
        self._dispatcher = Dispatcher(
            send=self._requester.send,
            drop=self._requester.drop,
            retire=self._requester.force_cold_start,
            in_flight_max=self._settings["in_flight_max"],
            prepare=self._requester.prepare if self._credentials is not None else None,
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
            self._report_done()

    def _admit(self, arrival: Arrival) -> bool:
        """Whether this worker's share of the budget holds one more request; the master is told when it does not."""
        admitted = self._requester is not None and self._requester.admit(arrival)
        if not admitted:
            self._send("exhausted", {})
        return admitted

    def _request_cold_start(self, target: str) -> bool:
        """Ask the master to make the target's next request start a new instance; return whether it did."""
        self._retired = AsyncResult()
        self._send("retire", {"target": target})
        try:
            return bool(self._retired.get(timeout=RETIRE_WITHIN_S))
        except gevent.Timeout:
            return False

    def _run_closed_loop(self, order: Mapping[str, Any], dispatcher: Dispatcher) -> None:
        """Let Locust's users send for the phase's duration; return when the last response is there."""
        settings, phase = self._settings, order["phase"]
        self._closed_loop = ClosedLoop(
            [target["name"] for target in settings["targets"]],
            images=settings["image_count"],
            think_s=phase["think_s"],
            seed=f"{settings['seed']}/{order['index']}/{order['first']}",
            first=order["first"],
            step=order["step"],
            phase=order["index"],
        )
        dispatcher.wait(phase["duration_s"])
        self._closed_loop = None
        while self._users_sending and not self._halted:
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

    def _report_done(self) -> None:
        budget = self._requester.budget if self._requester is not None else None
        spent = {} if budget is None else {"spent_usd": str(budget.spent_usd + budget.reserved_usd)}
        self._send("done", {"undelivered": self._outbox.pending, **spent})

    def _send(self, name: str, data: dict[str, Any]) -> None:
        try:
            self._channel.send(name, data)
        except ConnectionError as error:  # samples are sent again; Locust itself restores the connection
            LOG.warning("message %r to the master was not sent: %s", name, error)
