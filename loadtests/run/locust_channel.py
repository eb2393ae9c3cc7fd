"""Carry the messages of a run over Locust's runner, be it a master, a worker, or both in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from locust.exception import RPCError
from locust.runners import STATE_MISSING

if TYPE_CHECKING:
    from locust.env import Environment
    from locust.rpc import Message

    from loadtests.send.messages import Listener


class LocustChannel:
    """A `loadtests.send.messages.MasterChannel` over the runner of `environment`.

    In a run of one process Locust calls the listener of a message within `send`.
    """

    def __init__(self, environment: Environment) -> None:
        self._runner = cast("Any", environment.runner)

    @property
    def client_id(self) -> str:
        return str(self._runner.client_id)

    def listen(self, name: str, listener: Listener) -> None:
        def receive(environment: Environment, msg: Message, **_: Any) -> None:
            # The local runner calls itself something else in its messages.
            listener(str(getattr(self._runner, "client_id", msg.node_id)), msg.data)

        self._runner.register_message(f"tripoint-{name}", receive)

    def send(self, name: str, data: Mapping[str, Any], *, worker: str | None = None) -> None:
        try:
            self._runner.send_message(f"tripoint-{name}", data, client_id=worker)
        except RPCError as error:
            raise ConnectionError(str(error)) from error

    def connected_workers(self) -> list[str]:
        clients = getattr(self._runner, "clients", None)
        if clients is None:
            return [self.client_id]
        return [name for name in list(clients) if clients[name].state != STATE_MISSING]
