"""How long idle instances live: a survival curve, or halves of all idle ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

_HALVINGS = 11  # leave one of a thousand


@dataclass(frozen=True, slots=True)
class IdleLife:
    """`points` are (idle seconds, share of instances that still live), from a share of 1 down to 0.

    Between two points the share falls evenly. With `halves_every_s`, half of the instances that are idle together
    end each such time, and a single one ends the first time; `points` then do not count.
    """

    points: tuple[tuple[float, float], ...] = ((600.0, 1.0), (600.0, 0.0))
    halves_every_s: float | None = None

    @classmethod
    def fixed(cls, life_s: float) -> IdleLife:
        """Every instance lives for `life_s` without a request."""
        return cls(((life_s, 1.0), (life_s, 0.0)))

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> IdleLife:
        """Read `[platform.idle_life]` of cloud.toml, or what `tripoint idle` writes. Raises ValueError."""
        if (period_s := data.get("halves_every_s")) is not None:
            if not float(period_s) > 0:
                raise ValueError(f"idle life: halves_every_s is {period_s}: expected a number above 0")
            return cls(halves_every_s=float(period_s))
        points = tuple((float(at_s), float(share)) for at_s, share in data["points"])
        _check(points)
        return cls(points)

    @property
    def longest_s(self) -> float:
        """After so long no instance is left, or one of a thousand."""
        return self.points[-1][0] if self.halves_every_s is None else self.halves_every_s * _HALVINGS

    @property
    def shortest_s(self) -> float:
        """Until then every instance lives."""
        if self.halves_every_s is not None:
            return self.halves_every_s
        return max((at_s for at_s, share in self.points if share == 1), default=0.0)

    def survival(self, idle_s: float) -> float:
        """The share that still lives after `idle_s` without a request; of a single instance where they halve."""
        if self.halves_every_s is not None:
            return 1.0 if idle_s < self.halves_every_s else 0.0
        before = (0.0, 1.0)
        for point in self.points:
            if idle_s < point[0]:
                return before[1] + (point[1] - before[1]) * (idle_s - before[0]) / (point[0] - before[0])
            before = point
        return before[1]

    def draw(self, random: Random) -> float:
        """How long one instance lives, in seconds."""
        share = random.random()
        before = (0.0, 1.0)
        for point in self.points:
            if point[1] <= share:
                fallen = (before[1] - share) / (before[1] - point[1])
                return before[0] + (point[0] - before[0]) * fallen
            before = point
        return self.points[-1][0]

    def document(self) -> dict[str, Any]:
        """As `read` reads it."""
        if self.halves_every_s is not None:
            return {"halves_every_s": self.halves_every_s}
        return {"points": [list(point) for point in self.points]}


def _check(points: Sequence[tuple[float, float]]) -> None:
    times, shares = [at_s for at_s, _ in points], [share for _, share in points]
    falls = times == sorted(times) and shares == sorted(shares, reverse=True)
    if not points or not falls or times[0] < 0 or shares[0] > 1 or shares[-1] != 0:
        raise ValueError(
            f"idle life: points {[list(each) for each in points]}: expected [seconds, share that still lives], "
            "ascending in time, falling from 1 to 0"
        )
