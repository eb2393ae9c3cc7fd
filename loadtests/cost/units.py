"""Units in which platforms report what they will bill."""

from __future__ import annotations

from decimal import Decimal

_MB_MS_PER_GB_S = Decimal(1024 * 1000)


def gb_s_of_execution_units(units_mb_ms: Decimal) -> Decimal:
    """Azure's `FunctionExecutionUnits` and `OnDemandFunctionExecutionUnits` (MB-ms) in GB-s of 1024 MB.

    Source: learn.microsoft.com, functions-consumption-costs, read 2026-11-20.
    """
    return units_mb_ms / _MB_MS_PER_GB_S
