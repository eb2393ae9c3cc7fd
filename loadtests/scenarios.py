"""Named loads: the phases of a run, with the rate that the machine and the targets sustain filled in. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtests.phases import Constant, Forced, Phase

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Scenario:
    """`phases(rate)` are its phases for a rate per target and second; `rate_max` bounds what calibration offers."""

    name: str
    summary: str
    rate_max: float
    phases: Callable[[float], tuple[Phase, ...]]


class UnknownScenario(Exception):
    """There is no scenario of that name; the message lists those that exist."""


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "quick",
            "10 forced cold starts, then 400 warm requests per target: p99 becomes estimable; about a minute",
            15.0,
            lambda rate: (Forced(10), Constant(rate, 420, warm_up=20)),
        ),
        Scenario(
            "smoke",
            "1 forced cold start, then 20 warm requests per target: does everything work?",
            10.0,
            lambda rate: (Forced(1), Constant(rate, 20)),
        ),
    )
}


def find(name: str) -> Scenario:
    """The scenario of that name. Raises UnknownScenario."""
    if name not in SCENARIOS:
        raise UnknownScenario(f"unknown scenario {name!r}: expected one of {', '.join(SCENARIOS)}")
    return SCENARIOS[name]


# Of all processors, the share that a load may keep busy. Local clouds run on the same machine as the client:
# above about a half, queues form that belong to the laptop and not to the cloud.
LOAD_SHARE = 0.4


def sustainable_rate(service_ms: dict[str, float], *, cpus: int, rate_max: float) -> float:
    """Requests per second and target that keep `cpus` processors at most LOAD_SHARE busy, at most `rate_max`.

    `service_ms` is the warm service time of each target; on the local clouds nearly all of it is processor time.
    """
    busy_s = sum(service_ms.values()) / 1000
    return min(rate_max, cpus * LOAD_SHARE / busy_s) if busy_s > 0 else rate_max
