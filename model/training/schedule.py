"""The learning rate over a run."""

from __future__ import annotations

import math


def rate_at(step: int, *, steps: int, warmup: int, peak: float) -> float:
    """Return the learning rate of `step`: a straight rise to `peak`, then half a cosine down to a hundredth of it."""
    if step < warmup:
        return peak * (step + 1) / warmup
    share = (step - warmup) / max(1, steps - warmup)
    return peak * (0.01 + 0.99 * (1 + math.cos(math.pi * share)) / 2)
