"""The values of one target that are compared, with what is known about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Series:
    """What was measured of one target: `values`, when (`at_s`), on which instance, and for which work.

    `instance` counts from 0 within the target, `work` (an image) is the same number for the same work on both
    sides; -1 is unknown. The arrays have the same length; the order does not matter.
    """

    values: NDArray[np.float64]
    at_s: NDArray[np.float64]
    instance: NDArray[np.int64]
    work: NDArray[np.int64]
