"""The worker's part of a run: takes its share of the schedule from the master, plays it, delivers the samples.

In a run of one process the same code talks to a master in the same process: Locust's local runner carries the
messages.
"""

from __future__ import annotations

import logging
import time
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
import psutil
from locust.exception import RPCError

from loadtests.arrivals import Arrival
from loadtests.delivery import Outbox
from loadtests.dispatcher import Dispatcher
from loadtests.pictures import PicturesError, digest, read_pictures
from loadtests.requester import Requester
from loadtests.targets import Target

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


class Player:
    """One worker; `images` is the folder of its own machine that holds the run's image set."""

    def __init__(self, environment: Environment, *, images: Path) -> None:
        self._runner: Any = environment.runner
        self._environment = environment
        self._images = images
        self._outbox = Outbox(lambda message: self._send("samples", message))
        self._share: list[Arrival] = []
        self._requester: Requester | None = None
        self._dispatcher: Dispatcher | None = None
        self._process = psutil.Process()
        self._flusher: gevent.Greenlet | None = None
        listeners = {
            "begin": self._begin,
            "share": self._take_share,
            "go": self._go,
            "ack": self._acknowledged,
            "halt": self._halt,
        }
        for name, listener in listeners.items():
            self._runner.register_message(f"tripoint-{name}", listener, concurrent=name in ("begin", "go", "halt"))

    @property
    def worker(self) -> str:
        """This worker's name in samples and messages."""
        return str(self._runner.client_id)

    def stop(self) -> None:
        """Send nothing more, wait a little for what is under way, deliver what there is."""
        if self._dispatcher is not None:
            self._dispatcher.stop(grace_s=STOP_GRACE_S)
        self._deliver(within_s=STOP_GRACE_S)

    def _begin(self, environment: Environment, msg: Message, **_: Any) -> None:
        settings = msg.data
        try:
            pictures = read_pictures(self._images)
        except PicturesError as error:
            self._send("ready", {"error": str(error)})
            return
        if digest(pictures) != settings["images"]:
            self._send("ready", {"error": f"{self._images} holds other images than the master's folder: copy them"})
            return
        self._requester = Requester(
            [Target.from_document(each) for each in settings["targets"]],
            pictures,
            worker=self.worker,
            timeout_s=settings["timeout_s"],
            keep=self._outbox.add,
            fire=environment.events.request.fire,
        )
        self._dispatcher = Dispatcher(
            send=self._requester.send,
            drop=self._requester.drop,
            retire=self._requester.retire,
            in_flight_max=settings["in_flight_max"],
        )
        self._share = []
        self._process.cpu_percent()
        if self._flusher is None or self._flusher.dead:
            self._flusher = gevent.spawn(self._flush_for_ever)
        self._send("ready", {})

    def _take_share(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._share.extend(Arrival(*row) for row in msg.data["rows"])

    def _go(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._play, msg.data)  # the local runner would wait for us

    def _play(self, phase: Mapping[str, Any]) -> None:
        assert self._dispatcher is not None
        share, self._share = self._share, []
        if phase["loop"] == "serial":
            self._dispatcher.play_serial(share)
        else:
            self._dispatcher.play_open(share, start_s=perf_counter() + START_DELAY_S)
        self._deliver(within_s=60.0)
        self._send("done", {"undelivered": self._outbox.pending})

    def _acknowledged(self, environment: Environment, msg: Message, **_: Any) -> None:
        self._outbox.confirm(msg.data["batch"])

    def _halt(self, environment: Environment, msg: Message, **_: Any) -> None:
        gevent.spawn(self._stop_and_say_so)

    def _stop_and_say_so(self) -> None:
        self.stop()
        self._send("done", {"undelivered": self._outbox.pending})

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

    def _send(self, name: str, data: dict[str, Any]) -> None:
        try:
            self._runner.send_message(f"tripoint-{name}", data)
        except RPCError as error:  # samples are sent again; Locust itself restores the connection
            LOG.warning("message %r to the master was not sent: %s", name, error)
