"""Format figures for people: three significant digits, an interval beside every estimate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate

MISSING = "-"


def format_number(value: float) -> str:
    """Three significant digits without an exponent: 0.0123, 1.23, 12.3, 123, 1,234."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    rounded = abs(float(f"{value:.3g}"))  # 9.999 is 10.0, not 10.00
    decimals = max(2 - math.floor(math.log10(rounded)), 0)
    return f"{value:,.{decimals}f}"


def format_value(estimate: Estimate) -> str:
    """The value, or "-"."""
    return MISSING if estimate.value is None else format_number(estimate.value)


def format_interval(estimate: Estimate) -> str:
    """`10.4-13.9`; how many samples there are and how many it takes, where there is no value."""
    if estimate.value is None:
        return f"n={estimate.n}"
    if estimate.lo is None or estimate.hi is None:
        return ""
    return f"{format_number(estimate.lo)}-{format_number(estimate.hi)}"


def format_estimate(estimate: Estimate) -> str:
    """`12.1 [10.4, 13.9]`, or the reason why there is no value."""
    if estimate.value is None:
        return str(estimate.reason)
    if estimate.lo is None or estimate.hi is None:
        return format_number(estimate.value)
    return f"{format_number(estimate.value)} [{format_number(estimate.lo)}, {format_number(estimate.hi)}]"


def format_p(p: float) -> str:
    """`p < 0.001`, or `p = 0.012`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
