"""Getting past a closed endpoint's lock: what a client adds to its requests.

A pass holds secrets in memory for the time of a run; it is never printed and never written anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Sign = Callable[[str, str, bytes, datetime], dict[str, str]]


@dataclass(frozen=True, slots=True, repr=False)
class Pass:
    """Headers that are the same for every request, and those that depend on it.

    `sign(method, url, body, now)` is pure and takes well under a millisecond: call it before the timed part.
    """

    fixed: dict[str, str] = field(default_factory=dict)
    sign: Sign | None = None

    def headers(self, method: str, url: str, body: bytes, now: datetime) -> dict[str, str]:
        signed = self.sign(method, url, body, now) if self.sign else {}
        return {**self.fixed, **signed}
