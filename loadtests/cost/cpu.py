"""The CPU that a plan bills for a memory size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from loadtests.cost.usage import UsageError


@dataclass(frozen=True, slots=True)
class CpuRule:
    """`table` of (memory in MB, CPU) in ascending order; empty: the plan does not bill CPU.

    CPU is in the unit that the plan bills: vCPU, or GHz for Cloud Functions 1st gen. An instance that serves
    several requests at a time has at least `shared_minimum`.
    """

    table: tuple[tuple[Decimal, Decimal], ...] = ()
    shared_minimum: Decimal = Decimal(0)

    def units(self, memory_mb: Decimal, *, concurrency: int = 1) -> Decimal:
        """CPU of the smallest size that has `memory_mb`; 0 without a table. Raises ValueError above the table."""
        if not self.table:
            return Decimal(0)
        for size, units in self.table:
            if size >= memory_mb:
                return max(units, self.shared_minimum) if concurrency > 1 else units
        raise UsageError(f"memory {memory_mb} MB: the CPU table ends at {self.table[-1][0]} MB")


def read_cpu(data: Mapping[str, Any]) -> CpuRule:
    """Read a plan's `cpu`: `table = [["128", "0.083"], ...]`. Raises ValueError when it does not ascend."""
    table = tuple((Decimal(memory), Decimal(units)) for memory, units in data.get("table", ()))
    if list(table) != sorted(table) or sorted(units for _, units in table) != [units for _, units in table]:
        raise ValueError(f"the CPU table must ascend in memory and CPU: {data['table']}")
    return CpuRule(table, Decimal(data.get("shared_minimum", 0)))
