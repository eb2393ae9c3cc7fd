"""One result of `tripoint doctor`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One inspected thing. State `missing` stops `tripoint compare`, `note` does not; `remedy` is the next step."""

    part: str
    name: str
    state: State
    found: str
    remedy: str = ""

    def document(self) -> dict[str, Any]:
        """Return a document for JSON."""
        return asdict(self)
