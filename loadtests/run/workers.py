"""The workers of a run, as the master knows them: who is ready, who has what to send, who was lost."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import TYPE_CHECKING, Any, cast

from locust.runners import STATE_MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from locust.env import Environment
    from locust.rpc import Message

    from loadtests.plan.schedule import Arrival

ROWS_PER_MESSAGE = 5000


@dataclass(slots=True)
class WorkerNode:
    """One worker; `share` is what it has to send in the phase that is under way, `assigned` all it was given.

    `said` is its last word at the end of a phase.
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

    def __init__(self, environment: Environment) -> None:
        self._runner = cast("Any", environment.runner)
        self.workers: dict[str, WorkerNode] = {}
        self.trouble: str | None = None
        self.listen("ready", self._on_ready)
        self.listen("done", self._on_done)

    def listen(self, name: str, listener: Any) -> None:
        """Have `listener(environment=…, msg=…)` called for every message of that name."""
        self._runner.register_message(f"tripoint-{name}", listener)

    def wait_for_workers(self) -> list[str]:
        """Take in every worker that is connected now; those that come later stay out of this run."""
        clients = getattr(self._runner, "clients", None)
        names = list(clients) if clients is not None else [str(self._runner.client_id)]
        self.workers = {name: WorkerNode() for name in names}
        self.trouble = None
        return names

    def send(self, name: str, data: dict[str, Any], *, worker: str | None = None) -> None:
        """Send to one worker, or to all that live."""
        for each in [worker] if worker is not None else self.living():
            self._runner.send_message(f"tripoint-{name}", data, client_id=each)

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
        """Workers that Locust misses since the last call: gone, or without a heartbeat."""
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return []
        gone = [name for name in self.living() if name not in clients or clients[name].state == STATE_MISSING]
        for name in gone:
            self.workers[name].missing = True
        return gone

    def sender(self, msg: Message) -> str:
        """The worker that sent `msg`: the local runner calls itself something else in its messages."""
        return str(getattr(self._runner, "client_id", msg.node_id))

    def _on_ready(self, environment: Environment, msg: Message, **_: Any) -> None:
        name = self.sender(msg)
        if "error" in msg.data:
            self.trouble = f"worker {name}: {msg.data['error']}"
        if name in self.workers:
            self.workers[name].ready = True

    def _on_done(self, environment: Environment, msg: Message, **_: Any) -> None:
        name = self.sender(msg)
        if msg.data["undelivered"]:
            self.trouble = f"worker {name} could not deliver {msg.data['undelivered']} samples"
        if name in self.workers:
            self.workers[name].idle, self.workers[name].last_report = True, msg.data
