"""The messages between the master of a run and its workers, apart from what carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    Listener = Callable[[str, Mapping[str, Any]], object]


class MessageChannel(Protocol):
    """One process's end of the channel; `loadtests.run.locust_channel` is the one over Locust's runner."""

    @property
    def client_id(self) -> str:
        """The name of this process in messages and samples."""

    def listen(self, name: str, listener: Listener) -> None:
        """Call `listener(sender, data)` for each message of that name; the sender may wait until it returns."""

    def send(self, name: str, data: Mapping[str, Any], *, worker: str | None = None) -> None:
        """Send to the master, or from the master to that worker. Raises ConnectionError when it cannot be sent."""


class MasterChannel(MessageChannel, Protocol):
    """The master's end, which knows the workers too."""

    def connected_workers(self) -> Sequence[str]:
        """The names of the workers that are connected and have shown a sign of life lately."""
