"""The exact null distribution of the Mann-Whitney statistic, for small samples without ties."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 20  # of each side; up to here counts fit 64 bits, and beyond it the normal law is close


@cache
def null_distribution(m: int, n: int) -> NDArray[np.float64]:
    """P(U = u) for u = 0..m*n when both samples come from one continuous distribution.

    The counts are the Gaussian binomial coefficients (Mann and Whitney 1947), built one sample at a time:
    multiply by 1 - q^(n+i), divide by 1 - q^i.
    """
    counts = np.zeros(m * n + 1, dtype=np.int64)
    counts[0] = 1
    for i in range(1, m + 1):
        counts[n + i :] -= counts[: -(n + i)].copy() if n + i <= m * n else 0
        for u in range(i, m * n + 1):
            counts[u] += counts[u - i]
    share: NDArray[np.float64] = counts / counts.sum()
    return share
