"""Named loads: the phases of a run, with the rate that the machine and the targets sustain filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path
from typing import Any

from loadtests.plan.phases import KINDS, Bursts, Closed, Constant, Forced, IdleGaps, Phase, Poisson, Ramp, Steps
from loadtests.plan.traces import TraceError, read_trace

ROUND = "round "  # how the names of a round's phases begin
COLD_STARTS_MIN = 6  # with fewer, nothing can be said of how much they differ
SETTLE_RATE = 0.5  # requests a second
PROBES = 6  # requests to each target before the run; the first may be a cold start


@dataclass(frozen=True, slots=True)
class Scenario:
    """`phases(rate, settle_s)` are its phases for a rate per target and second.

    `settle_s`: for how long a new instance has extra processor time, which warm figures must not hold. `rate_max`
    bounds what calibration offers.
    """

    name: str
    summary: str
    rate_max: float
    make: Callable[[float, float], tuple[Phase, ...]]

    def phases(self, rate: float, settle_s: float = 0.0) -> tuple[Phase, ...]:
        """The phases, in order."""
        return self.make(rate, settle_s)

    @property
    def shows_cold_starts(self) -> bool:
        """Whether it forces enough cold starts to say something of them, in an open loop alone."""
        phases = self.phases(1.0)
        forced = sum(phase.rounds for phase in phases if isinstance(phase, Forced))
        return forced >= COLD_STARTS_MIN and all(phase.loop != "closed" for phase in phases)

    def users(self) -> int | None:
        """How many users its closed-loop phases want; None without one."""
        wanted = [phase.users for phase in self.phases(1.0) if isinstance(phase, Closed)]
        return max(wanted) if wanted else None


class ScenarioError(Exception):
    """There is no such scenario, or its file makes no sense; the message says what was expected."""


def in_rounds(rounds: int, settle_s: float, warm: Callable[[str], Phase]) -> tuple[Phase, ...]:
    """Rounds of one forced cold start of each target and the phase `warm(name)`, which the new instances answer.

    The warm figures rest on as many instances as there are rounds, and what drifts hits all targets alike. Between
    the two, for `settle_s`, slow requests that do not count.
    """
    found: list[Phase] = []
    for number in range(1, rounds + 1):
        name = f"{ROUND}{number} of {rounds}"
        found.append(Forced(1, name=f"{name}: cold"))
        if settle_s:
            count = ceil(settle_s * SETTLE_RATE) + 1
            found.append(Constant(SETTLE_RATE, count, warm_up=count, name=f"{name}: settle"))
        found.append(warm(f"{name}: warm"))
    return tuple(found)


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "quick",
            "16 rounds of a forced cold start and 25 warm requests per target: 16 instances; a minute and a half",
            15.0,
            lambda rate, settle_s: in_rounds(16, settle_s, lambda name: Constant(rate, 27, warm_up=2, name=name)),
        ),
        Scenario(
            "smoke",
            "1 forced cold start, then 20 warm requests per target: does everything work?",
            10.0,
            lambda rate, _: (Forced(1), Constant(rate, 20)),
        ),
        Scenario(
            "cold",
            "30 forced and 15 natural cold starts and 5 bursts per target; idle instances live 2 s on local clouds",
            15.0,
            lambda rate, _: (Forced(30), IdleGaps(15, 4.0, idle_life_s=2.0), Bursts(5, 4, 8.0, idle_life_s=2.0)),
        ),
        Scenario(
            "full",
            "natural and burst cold starts, then 80 rounds of a forced one and 50 Poisson arrivals: p99.9 estimable",
            15.0,
            lambda rate, settle_s: (
                IdleGaps(15, 4.0, idle_life_s=2.0),
                Bursts(5, 4, 8.0, idle_life_s=2.0),
                *in_rounds(80, settle_s, lambda name: Poisson(rate, 52, warm_up=2, name=name)),
            ),
        ),
        Scenario(
            "stress",
            "a ramp to twice the sustainable rate, then steps around it: where does it break?",
            100.0,
            lambda rate, _: (Ramp(rate / 10, 2 * rate, 60.0), Steps((rate / 2, rate, rate * 1.5), 20.0)),
        ),
        Scenario(
            "closed",
            "10 users with 1 s of think time for a minute: what users would see, not what the targets can do",
            15.0,
            lambda rate, _: (Closed(10, 1.0, 60.0),),
        ),
    )
}


def find(name: str) -> Scenario:
    """The scenario of that name, or of that TOML file. Raises ScenarioError."""
    if name.endswith(".toml"):
        return read_scenario(Path(name))
    if name not in SCENARIOS:
        raise ScenarioError(f"unknown scenario {name!r}: expected one of {', '.join(SCENARIOS)}, or a .toml file")
    return SCENARIOS[name]


def read_scenario(path: Path) -> Scenario:
    """Read a scenario of one's own: `[[phases]]` tables with a `kind` and its fields.

    A rate that is left out is the one that calibration finds, at most `rate_max`. A trace names its `file`, which
    is looked for beside the scenario. Raises ScenarioError.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        tables = document["phases"]
        for table in tables:
            build(table, rate=1.0, folder=path.parent)
    except (OSError, ValueError, KeyError, TypeError, TraceError) as error:
        raise ScenarioError(
            f"scenario {str(path)!r} cannot be used: {error!s}; expected [[phases]] tables"
        ) from error
    return Scenario(
        name=path.stem,
        summary=str(document.get("summary", "")),
        rate_max=float(document.get("rate_max", 15.0)),
        make=lambda rate, _: tuple(build(table, rate=rate, folder=path.parent) for table in tables),
    )


def build(table: dict[str, Any], *, rate: float, folder: Path) -> Phase:
    """One phase from its table. Raises ValueError or TraceError."""
    given = dict(table)
    kind = given.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"phase kind {kind!r}: expected one of {', '.join(KINDS)}")
    if "file" in given:
        given["source"] = given.pop("file")
        given["times_s"] = read_trace(folder / given["source"])
    if "rates" in given:
        given["rates"] = tuple(given["rates"])
    known = {each.name for each in fields(KINDS[kind])}
    if "rate" in known:
        given.setdefault("rate", rate)
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"phase kind {kind!r} has no {', '.join(unknown)}: expected some of {', '.join(sorted(known))}"
        )
    try:
        return KINDS[kind](**given)
    except TypeError as error:
        raise ValueError(f"phase kind {kind!r}: {error}; expected some of {', '.join(sorted(known))}") from error


# Of all processors, the share that a load may keep busy. Local clouds run on the same machine as the client:
# above about a half, queues form that belong to the laptop and not to the cloud.
LOAD_SHARE = 0.4


def sustainable_rate(service_ms: dict[str, float], *, cpus: int, rate_max: float) -> float:
    """Requests per second and target that keep `cpus` processors at most LOAD_SHARE busy, at most `rate_max`.

    `service_ms` is the warm service time of each target; on the local clouds nearly all of it is processor time.
    """
    busy_s = sum(service_ms.values()) / 1000
    return min(rate_max, cpus * LOAD_SHARE / busy_s) if busy_s > 0 else rate_max
