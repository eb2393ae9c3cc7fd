"""The master's table of workers: who is ready, who has what to send, who is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.plan.schedule import Arrival
    from loadtests.send.messages import Listener, MasterChannel

ROWS_PER_MESSAGE = 5000


@dataclass(slots=True)
class WorkerNode:
    """One worker; `share` is what it has to send in the phase that is under way, `assigned` all it was given.

    `last_report` is what it sent at the end of its last phase.
    """

    ready: bool = False
    idle: bool = True
    missing: bool = False
    assigned: int = 0
    share: Sequence[Arrival] = field(default=())
    last_report: Mapping[str, Any] = field(default_factory=dict)

    def failure(self, *, received: int, phase_s: float) -> dict[str, int]:
        """What is known when it is found lost, `phase_s` into a phase with `received` of its samples stored.

        `undelivered`: due by now, so sent or about to be, but not stored; `unsent`: not due yet.
        """
        due = self.assigned - len(self.share) + sum(arrival.offset_s <= phase_s for arrival in self.share)
        return {
            "assigned": self.assigned,
            "received": received,
            "undelivered": max(due - received, 0),
            "unsent": self.assigned - max(due, received),
        }


class WorkerPool:
    """Messages to and from the workers; in a run of one process that process is the only one."""

    def __init__(self, channel: MasterChannel) -> None:
        self._channel = channel
        self.workers: dict[str, WorkerNode] = {}
        self.trouble: str | None = None
        self.listen("ready", self._on_ready)
        self.listen("done", self._on_done)

    def listen(self, name: str, listener: Listener) -> None:
        """Call `listener(worker, data)` for every message of that name."""
        self._channel.listen(name, listener)

    def take_in_workers(self) -> list[str]:
        """Take in every worker that is connected now; those that come later stay out of this run."""
        names = list(self._channel.connected_workers())
        self.workers = {name: WorkerNode() for name in names}
        self.trouble = None
        return names

    def send(self, name: str, data: dict[str, Any], *, worker: str | None = None) -> None:
        """Send to one worker, or to all that live. Raises ConnectionError."""
        for receiver in [worker] if worker is not None else self.living():
            self._channel.send(name, data, worker=receiver)

    def living(self) -> list[str]:
        return [name for name, worker in self.workers.items() if not worker.missing]

    def assign(self, name: str, share: Sequence[Arrival]) -> None:
        """Give a worker its share of the next phase."""
        worker = self.workers[name]
        worker.share, worker.assigned, worker.idle = share, worker.assigned + len(share), False
        for start in range(0, len(share), ROWS_PER_MESSAGE):
            rows = [astuple(arrival) for arrival in share[start : start + ROWS_PER_MESSAGE]]
            self.send("share", {"rows": rows}, worker=name)

    def halt(self) -> None:
        """Have all stop and deliver; each is idle when it has."""
        for worker in self.workers.values():
            worker.idle = worker.missing
        self.send("halt", {})

    def newly_missing(self) -> list[str]:
        """Workers that are no longer connected, and were at the last call."""
        connected = self._channel.connected_workers()
        gone = [name for name in self.living() if name not in connected]
        for name in gone:
            self.workers[name].missing = True
        return gone

    def _on_ready(self, name: str, data: Mapping[str, Any]) -> None:
        if "error" in data:
            self.trouble = f"worker {name}: {data['error']}"
        if name in self.workers:
            self.workers[name].ready = True

    def _on_done(self, name: str, data: Mapping[str, Any]) -> None:
        if data["undelivered"]:
            self.trouble = f"worker {name} could not deliver {data['undelivered']} samples"
        if name in self.workers:
            self.workers[name].idle, self.workers[name].last_report = True, data
