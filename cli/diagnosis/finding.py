"""One thing that `tripoint doctor` looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """`missing` is needed for `tripoint compare`; a `note` is not, and `remedy` says what it would take."""

    part: str
    name: str
    state: State
    found: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """Fit for JSON."""
        return asdict(self)
