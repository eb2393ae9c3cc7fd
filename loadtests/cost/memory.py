"""The memory that a plan bills."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

from loadtests.cost.usage import UsageError

_BILLED = ("configured", "observed")


@dataclass(frozen=True, slots=True)
class MemoryRule:
    """Configured memory is billed, or the observed one in steps with a minimum and a cap.

    `sizes_mb`: only these can be configured; another size is raised to the next. Outside `minimum_mb` to
    `maximum_mb` a configured size is an error, an observed one is moved to the limit.
    """

    billed: str = "configured"
    step_mb: Decimal = Decimal(1)
    minimum_mb: Decimal = Decimal(0)
    maximum_mb: Decimal = Decimal("Infinity")
    sizes_mb: tuple[Decimal, ...] = ()

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> MemoryRule:
        """Read a plan's `memory`. Raises ValueError for an unknown rule."""
        billed = str(data.get("billed", "configured"))
        if billed not in _BILLED:
            raise ValueError(f"memory billed {billed!r}: known rules are {', '.join(_BILLED)}")
        numbers = {key: Decimal(data[key]) for key in ("step_mb", "minimum_mb", "maximum_mb") if key in data}
        return cls(billed=billed, sizes_mb=tuple(Decimal(size) for size in data.get("sizes_mb", ())), **numbers)

    def billed_mb(self, configured_mb: Decimal, observed_mb: Decimal | None = None) -> Decimal:
        """Memory on the bill. Raises ValueError naming the limits when the plan has no such size."""
        if self.billed == "observed":
            if observed_mb is None and configured_mb > self.maximum_mb:
                raise UsageError(
                    f"memory {configured_mb} MB: expected at most {self.maximum_mb} MB, or the memory in use"
                )
            wanted = configured_mb if observed_mb is None else observed_mb
            return min(max(_ceil(wanted, self.step_mb), self.minimum_mb), self.maximum_mb)
        if self.sizes_mb:
            return self._size(configured_mb)
        if not self.minimum_mb <= configured_mb <= self.maximum_mb:
            raise UsageError(f"memory {configured_mb} MB: expected {self.minimum_mb} to {self.maximum_mb} MB")
        return _ceil(configured_mb, self.step_mb)

    def _size(self, wanted_mb: Decimal) -> Decimal:
        for size in self.sizes_mb:
            if size >= wanted_mb:
                return size
        raise UsageError(f"memory {wanted_mb} MB: the largest size is {self.sizes_mb[-1]} MB")


def _ceil(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).to_integral_value(ROUND_CEILING) * step
