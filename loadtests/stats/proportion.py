"""A share and its Wilson interval. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share with its Wilson 95 % interval, all in 0..1."""

    value: float
    lo: float
    hi: float
    n: int


def wilson(hits: int, n: int, *, z: float = Z_95) -> Proportion:
    """Return `hits / n` with its score interval. Raises ValueError for an impossible count.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no proportion: expected 0 <= hits <= n and n > 0")
    p = hits / n
    shrink = 1 + z * z / n
    centre = (p + z * z / (2 * n)) / shrink
    half = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / shrink
    return Proportion(p, max(0.0, centre - half), min(1.0, centre + half), n)
