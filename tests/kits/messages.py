"""A run's master and workers in one process without Locust: messages in memory, and targets that are functions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event

from loadtests.plan.payloads import payloads_digest, read_payloads
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.record.store import FILE_NAME, Store, open_store
from loadtests.run.master import RunMaster
from loadtests.run.preparation import PreparedRun
from loadtests.run.resources import RunResources
from loadtests.send.response import HttpResponse
from loadtests.send.worker import Worker
from tests.kits.load import write_images

if TYPE_CHECKING:
    from loadtests.record.sample import Sample
    from loadtests.run.early_stop import EarlyStop
    from loadtests.send.messages import Listener

MASTER = "master"
ANSWER = json.dumps({"predictions": [{"label": "pants", "probability": 1.0}]}).encode()


class FakeNetwork:
    """Delivers messages between ends in memory, in order, as JSON.

    `loses(sender, receiver, name)` says whether a message is lost. What a disconnected worker sends is lost too.
    """

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.listeners: dict[str, dict[str, Listener]] = defaultdict(dict)
        self.loses: Callable[[str, str, str], bool] = lambda sender, receiver, name: False
        self.sent: list[tuple[str, str, str]] = []

    def deliver(self, sender: str, receiver: str, name: str, data: Mapping[str, Any]) -> None:
        self.sent.append((sender, receiver, name))
        reachable = {MASTER, *self.connected}
        if sender in reachable and receiver in reachable and not self.loses(sender, receiver, name):
            gevent.spawn(self.listeners[receiver][name], sender, json.loads(json.dumps(data)))


@dataclass(frozen=True, slots=True)
class FakeChannel:
    """One end in a FakeNetwork."""

    network: FakeNetwork
    client_id: str

    def listen(self, name: str, listener: Listener) -> None:
        self.network.listeners[self.client_id][name] = listener

    def send(self, name: str, data: Mapping[str, Any], *, worker: str | None = None) -> None:
        self.network.deliver(self.client_id, worker or MASTER, name, data)

    def connected_workers(self) -> list[str]:
        return list(self.network.connected)


@dataclass(slots=True)
class FakeTargets:
    """Stands in for the endpoints: `delay_s` until an answer; `calls` are the URL and time of every request."""

    delay_s: float = 0.001
    hangs: bool = False
    retires: bool = True
    calls: list[tuple[str, float]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    in_flight_most: int = 0

    @property
    def served(self) -> int:
        return sum(not url.endswith("/retire") for url, _ in self.calls)

    def endpoint(self, url: str, *, timeout_s: float) -> FakeEndpoint:
        return FakeEndpoint(self, url)


@dataclass(frozen=True, slots=True)
class FakeEndpoint:
    """Has the members of `loadtests.send.endpoint.HttpEndpoint` that are used."""

    targets: FakeTargets
    url: str

    def post(self, body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None) -> HttpResponse:
        targets, sent_s = self.targets, perf_counter()
        targets.calls.append((self.url, sent_s))
        targets.headers.append(dict(headers or {}))
        targets.in_flight += 1
        targets.in_flight_most = max(targets.in_flight_most, targets.in_flight)
        gevent.sleep(targets.delay_s)
        targets.in_flight -= 1
        if targets.hangs:
            raise TimeoutError("no answer within 0.5 s")
        status = 200 if targets.retires or not self.url.endswith("/retire") else 503
        return HttpResponse(status, {}, ANSWER, sent_s, perf_counter(), None, None, 1.0, len(body), len(ANSWER))

    def close(self) -> None:
        """Nothing is open."""


class FakeRun:
    """One run of a real master and real workers over a FakeNetwork; its store is in `folder`."""

    def __init__(
        self,
        folder: Path,
        phases: Sequence[Mapping[str, Any]],
        arrivals: Sequence[Arrival],
        *,
        workers: Sequence[str] = ("w1", "w2"),
        targets: Sequence[Target] = (Target("aws", "aws", "none", "local", 128, "http://aws/"),),
        resources: RunResources | None = None,
        early_stop: EarlyStop | None = None,
        in_flight_max: int = 1000,
        parent_pid: int | None = None,
    ) -> None:
        self.images = write_images(folder / "images")
        payloads = read_payloads(self.images)
        header = {
            "phases": [{"name": f"phase {index}", "loop": "open", **phase} for index, phase in enumerate(phases)],
            "timeout_s": 1.0,
            "in_flight_max": in_flight_max,
            "images": {"sha256": payloads_digest(payloads), "count": len(payloads)},
            "seed": 1,
        }
        plan = PreparedRun(header, targets, arrivals, [], perf_counter(), resources or RunResources())
        self.arrivals, self.network, self.over, self.exit_code = arrivals, FakeNetwork(), Event(), 0
        self.store = Store.create(folder / "run" / FILE_NAME, header)
        self.store.plan(arrivals)
        self.master = RunMaster(
            FakeChannel(self.network, MASTER),
            open_run=lambda: (plan, self.store, early_stop),
            set_exit_code=lambda code: setattr(self, "exit_code", code),
            ended=self.over.set,
            parent_pid=parent_pid,
        )
        self.workers = {name: self.connect(name) for name in workers}

    @property
    def stored(self) -> list[Sample]:
        """The samples in the run's store by now."""
        with open_store(self.store.path) as store:
            return store.samples()

    def connect(self, name: str, images: Path | None = None) -> Worker:
        """A new worker, by default with the master's images."""
        self.network.connected.append(name)
        return Worker(FakeChannel(self.network, name), images=images or self.images)

    def play(self) -> None:
        """Run to the end."""
        self.master.start()
        assert self.over.wait(timeout=60), "the run did not end"


def constant(count: int, *, gap_s: float = 0.002, target: str = "aws", phase: int = 0) -> list[Arrival]:
    """Arrivals at equal gaps, numbered from 0."""
    return [Arrival(index, index * gap_s, target, "steady", index, phase) for index in range(count)]
