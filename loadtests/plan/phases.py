"""The phases of a run, each with its own kind of load, and their due times. Pure.

A phase ends before the next begins. `offsets_s` gives the due times of one target in seconds after the
phase's start, in order; `loadtests.plan.schedule` interleaves the targets, as the phase's `interleaving` says.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import accumulate
from math import sqrt
from random import Random
from typing import Any, ClassVar, Literal

Stratum = Literal["forced", "natural", "burst", "steady", "warm-up"]  # why a request is sent

# "serial": one request after another over all targets, each behind a retired instance; `at_s` is only an order.
# "open": every request at its due time, whatever became of those before. "closed": users who wait for answers.
Loop = Literal["serial", "open", "closed"]

# How the requests of the targets lie among each other. "independent": each target draws its own times. Otherwise all
# targets are due at the same times and share the gap to the next one. Their order in the gap is "random", drawn anew
# for each gap, or "fixed" for the whole phase, where the length of each target's own gap matters.
Interleaving = Literal["independent", "random", "fixed"]


class PhaseError(ValueError):
    """A phase that makes no sense; the message names the value and what was expected."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Cold starts by force: each round retires each target's instances, then sends it one request."""

    rounds: int
    name: str = "forced cold starts"
    loop: ClassVar[Loop] = "serial"
    stratum: ClassVar[Stratum] = "forced"
    interleaving: ClassVar[Interleaving] = "random"
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_positive(self, "rounds")

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
    interleaving: ClassVar[Interleaving] = "random"

    def __post_init__(self) -> None:
        require_positive(self, "rate", "count")

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
    interleaving: ClassVar[Interleaving] = "independent"

    def __post_init__(self) -> None:
        require_positive(self, "rate", "count")

    def offsets_s(self, random: Random) -> list[float]:
        return list(accumulate(random.expovariate(self.rate) for _ in range(self.count)))


@dataclass(frozen=True, slots=True)
class Ramp:
    """From `rate` a second to `rate_end`, changing evenly over `duration_s`."""

    rate: float
    rate_end: float
    duration_s: float
    name: str = "ramp"
    warm_up: int = 0
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "steady"
    interleaving: ClassVar[Interleaving] = "random"

    def __post_init__(self) -> None:
        require_positive(self, "rate", "rate_end", "duration_s")

    def offsets_s(self, random: Random) -> list[float]:
        """Request n is due when the integral of the rate reaches n."""
        slope = (self.rate_end - self.rate) / self.duration_s
        total = int((self.rate + self.rate_end) / 2 * self.duration_s)
        # n = rate t + slope t^2 / 2, solved so that a slope of 0 divides by nothing.
        return [2 * n / (self.rate + sqrt(max(self.rate**2 + 2 * slope * n, 0.0))) for n in range(total)]


@dataclass(frozen=True, slots=True)
class Steps:
    """Each of `rates` a second for `step_s`, one after the other."""

    rates: tuple[float, ...]
    step_s: float
    name: str = "steps"
    warm_up: int = 0
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "steady"
    interleaving: ClassVar[Interleaving] = "random"

    def __post_init__(self) -> None:
        require_positive(self, "step_s")
        if not self.rates or min(self.rates) <= 0:
            raise PhaseError(f"phase {self.name!r}: expected rates above 0, got {list(self.rates)}")

    def offsets_s(self, random: Random) -> list[float]:
        return [
            step * self.step_s + index / rate
            for step, rate in enumerate(self.rates)
            for index in range(int(rate * self.step_s))
        ]


@dataclass(frozen=True, slots=True)
class Bursts:
    """`bursts` times `size` requests at the same moment to one target, `gap_s` apart: scale-out.

    `idle_life_s`, where a target has a control plane: how long its idle instances live during this phase.
    """

    bursts: int
    size: int
    gap_s: float
    idle_life_s: float | None = None
    name: str = "bursts"
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "burst"
    interleaving: ClassVar[Interleaving] = "random"
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_positive(self, "bursts", "size", "gap_s")

    def offsets_s(self, random: Random) -> list[float]:
        return [burst * self.gap_s for burst in range(self.bursts) for _ in range(self.size)]


@dataclass(frozen=True, slots=True)
class IdleGaps:
    """`rounds` single requests to each target, each after `gap_s` without any: natural cold starts.

    `idle_life_s` as in Bursts. A gap that is too short gives warm answers, and the samples say so.
    """

    rounds: int
    gap_s: float
    idle_life_s: float | None = None
    name: str = "idle gaps"
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "natural"
    interleaving: ClassVar[Interleaving] = "fixed"
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_positive(self, "rounds", "gap_s")

    def offsets_s(self, random: Random) -> list[float]:
        return [self.gap_s * (index + 1) for index in range(self.rounds)]


@dataclass(frozen=True, slots=True)
class TraceReplay:
    """A recorded trace, its time run `speed` times as fast; every target gets all of it.

    `times_s` counts from the trace's first arrival. `thin` keeps that share of the arrivals, drawn by the seed.
    """

    times_s: tuple[float, ...]
    speed: float = 1.0
    thin: float = 1.0
    source: str = ""
    name: str = "trace"
    loop: ClassVar[Loop] = "open"
    stratum: ClassVar[Stratum] = "steady"
    interleaving: ClassVar[Interleaving] = "independent"
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_positive(self, "speed", "thin")
        if not self.times_s:
            raise PhaseError(f"phase {self.name!r}: expected a trace with at least one arrival")

    def offsets_s(self, random: Random) -> list[float]:
        kept = [at_s for at_s in self.times_s if self.thin >= 1 or random.random() < self.thin]
        return [at_s / self.speed for at_s in kept]


@dataclass(frozen=True, slots=True)
class Closed:
    """`users` who each wait for an answer, think for `think_s` on average, and ask again, for `duration_s`.

    A slow target is asked less often, so that its slow answers are counted less: use it to model users, not to
    measure latency.
    """

    users: int
    think_s: float
    duration_s: float
    name: str = "closed loop"
    loop: ClassVar[Loop] = "closed"
    stratum: ClassVar[Stratum] = "steady"
    interleaving: ClassVar[Interleaving] = "random"
    warm_up: ClassVar[int] = 0

    def __post_init__(self) -> None:
        require_positive(self, "users", "duration_s")

    def offsets_s(self, random: Random) -> list[float]:
        """Nothing is scheduled: the answers decide."""
        return []


Phase = Forced | Constant | Poisson | Ramp | Steps | Bursts | IdleGaps | TraceReplay | Closed

KINDS: dict[str, type[Phase]] = {
    "forced": Forced,
    "constant": Constant,
    "poisson": Poisson,
    "ramp": Ramp,
    "steps": Steps,
    "bursts": Bursts,
    "idle": IdleGaps,
    "trace": TraceReplay,
    "closed": Closed,
}


def require_positive(phase: Phase, *names: str) -> None:
    """Raise PhaseError unless those fields are above 0."""
    wrong = {name: getattr(phase, name) for name in names if not getattr(phase, name) > 0}
    if wrong:
        raise PhaseError(f"phase {phase.name!r}: expected {', '.join(wrong)} above 0, got {wrong}")


def describe(phase: Phase) -> dict[str, Any]:
    """The phase as the run's header keeps it; a trace is named by its source and length, not written out."""
    kind = next(name for name, each in KINDS.items() if isinstance(phase, each))
    fields = {name: value for name, value in asdict(phase).items() if name != "times_s"}
    counted = {"arrivals": len(phase.times_s)} if isinstance(phase, TraceReplay) else {}
    return {"kind": kind, "loop": phase.loop, **fields, **counted}
