"""One platform's own report about one request, whatever the cloud."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlatformReport:
    """`line` is the platform's own; the rest is what it says. Times are in ms, `used_mb` is the most memory used.

    `init_ms` stands on the line of the first request of a new instance, `restore_ms` on that of one restored from a
    snapshot, `billed_restore_ms` of it billed; None elsewhere. `billed_ms` holds all that is billed.
    """

    line: str
    duration_ms: float
    billed_ms: float
    memory_mb: int
    used_mb: int
    init_ms: float | None = None
    restore_ms: float | None = None
    billed_restore_ms: float | None = None

    def __post_init__(self) -> None:
        if min(self.duration_ms, self.billed_ms, self.memory_mb, self.used_mb) < 0:
            raise ValueError(f"a report with a negative figure: {self.line!r}")

    @property
    def is_first(self) -> bool:
        """Whether the platform says that this was the first request of its instance."""
        return self.init_ms is not None or self.restore_ms is not None
