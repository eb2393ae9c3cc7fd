"""The kinds of load a run is made of; each says when its requests are due. Pure.

A phase ends before the next begins. `offsets_s` gives the due times of one target in seconds after the
phase's start; `loadtests.arrivals` interleaves the targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from random import Random

    from loadtests.sample import Stratum

# "serial": one request after another over all targets, each behind a retired instance; `at_s` is only an order.
# "open": every request at its due time, whatever became of those before. "closed": users who wait for answers.
Loop = Literal["serial", "open", "closed"]


class PhaseError(ValueError):
    """A phase that makes no sense; the message names the value and what was expected."""


def require(true: bool, phase: str, expectation: str) -> None:
    """Raise PhaseError unless `true`."""
    if not true:
        raise PhaseError(f"phase {phase!r}: expected {expectation}")


@dataclass(frozen=True, slots=True)
class Forced:
    """Cold starts by force: each round retires each target's instances, then sends it one request."""

    rounds: int
    name: str = "forced cold starts"
    loop: ClassVar[Loop] = "serial"
    stratum: ClassVar[Stratum] = "forced"
    spread: ClassVar[bool] = True
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require(self.rounds > 0, self.name, f"rounds above 0, got {self.rounds}")

    def offsets_s(self, random: Random) -> list[float]:
        """One second apart: an order, not a time."""
        return [float(index) for index in range(self.rounds)]


@dataclass(frozen=True, slots=True)
class Constant:
    """`count` requests to each target at `rate` a second, evenly spaced; the first `warm_up` are marked."""

    rate: float
    count: int
    warm_up: int = 0
    name: str = "steady"
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "steady"
    spread: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require(self.rate > 0 and self.count > 0, self.name, f"rate and count above 0, got {self.rate}, {self.count}")

    def offsets_s(self, random: Random) -> list[float]:
        return [index / self.rate for index in range(self.count)]


@dataclass(frozen=True, slots=True)
class Poisson:
    """`count` requests to each target at `rate` a second on average, each independent of the others."""

    rate: float
    count: int
    warm_up: int = 0
    name: str = "poisson"
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "steady"
    spread: ClassVar[bool] = False

    def __post_init__(self) -> None:
        require(self.rate > 0 and self.count > 0, self.name, f"rate and count above 0, got {self.rate}, {self.count}")

    def offsets_s(self, random: Random) -> list[float]:
        return list(accumulate(random.expovariate(self.rate) for _ in range(self.count)))


Phase = Forced | Constant | Poisson
