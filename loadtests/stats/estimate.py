"""A figure with its interval, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    """`value` with a two-sided 95 % interval `lo`..`hi` from `n` samples; all None with a `reason` instead."""

    n: int
    value: float | None = None
    lo: float | None = None
    hi: float | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("an estimate has either a value or a reason")

    def document(self) -> dict[str, float | int | None] | None:
        """`{value, lo, hi, n}` for JSON, or None when not estimable (the reason stands beside it)."""
        if self.value is None:
            return None
        return {"value": self.value, "lo": self.lo, "hi": self.hi, "n": self.n}
