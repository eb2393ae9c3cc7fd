"""Credentials of closed targets, in the memory of the processes that send the load, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from adapters.deployment.request_auth import RequestAuth


class Credentials:
    """Passes by target name, and the targets whose cold starts who holds the keys can force.

    `texts` are as `RequestAuth.text` gives them; a message carries them to the workers.
    """

    def __init__(self, texts: Mapping[str, str] | None = None, *, cold_start_targets: Iterable[str] = ()) -> None:
        self.texts: dict[str, str] = {}
        self.cold_start_targets = frozenset(cold_start_targets)
        self._passes: dict[str, RequestAuth] = {}
        self.refresh(texts or {})

    def refresh(self, texts: Mapping[str, str]) -> None:
        """Use these from now on."""
        self.texts.update(texts)
        self._passes.update({name: RequestAuth.of(text) for name, text in texts.items()})

    def headers(self, target: str, *, url: str, body: bytes) -> dict[str, str]:
        """What to add to a POST of `body` that is sent within a few minutes; well under a millisecond."""
        held = self._passes.get(target)
        return {} if held is None else held.headers("POST", url, body, datetime.now(UTC))
