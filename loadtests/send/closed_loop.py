"""Choose what the users of a closed-loop phase ask next. Pure but for random numbers, which the seed decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from random import Random

from loadtests.plan.schedule import Arrival


class ClosedLoop:
    """The requests of one worker's users: targets in random turns, images in random order, for `duration_s`."""

    def __init__(
        self, targets: Sequence[str], *, images: int, think_s: float, seed: str, first: int, step: int, phase: int
    ) -> None:
        """Indexes are `first`, `first + step`, …, so that no two workers give the same."""
        self._random = Random(seed)
        self._think_s = think_s
        self._arrivals = self._endless(targets, images, count(first, step), phase)

    def next_arrival(self) -> Arrival:
        """What to send now."""
        return next(self._arrivals)

    def think_time_s(self) -> float:
        """How long the user thinks before asking again: exponential, as independent users do."""
        return self._random.expovariate(1 / self._think_s) if self._think_s > 0 else 0.0

    def _endless(self, targets: Sequence[str], images: int, indexes: Iterator[int], phase: int) -> Iterator[Arrival]:
        while True:
            for target in self._random.sample(list(targets), len(targets)):
                yield Arrival(next(indexes), 0.0, target, "steady", self._random.randrange(images), phase)
