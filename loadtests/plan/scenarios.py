"""Named loads: the phases of a run, with the rate that the machine and the targets sustain filled in."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from loadtests.plan.phases import KINDS, Bursts, Closed, Constant, Forced, IdleGaps, Phase, Poisson, Ramp, Steps
from loadtests.plan.traces import TraceError, read_trace

PROBES = 6  # requests to each target before the run; the first may be a cold start


@dataclass(frozen=True, slots=True)
class Scenario:
    """`phases(rate)` are its phases for a rate per target and second; `rate_max` bounds what calibration offers."""

    name: str
    summary: str
    rate_max: float
    phases: Callable[[float], tuple[Phase, ...]]

    def users(self) -> int | None:
        """How many users its closed-loop phases want; None without one."""
        wanted = [phase.users for phase in self.phases(1.0) if isinstance(phase, Closed)]
        return max(wanted) if wanted else None


class ScenarioError(Exception):
    """There is no such scenario, or its file makes no sense; the message says what was expected."""


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
        Scenario(
            "cold",
            "30 forced and 15 natural cold starts and 5 bursts per target; idle instances live 2 s on local clouds",
            15.0,
            lambda rate: (Forced(30), IdleGaps(15, 4.0, idle_life_s=2.0), Bursts(5, 4, 8.0, idle_life_s=2.0)),
        ),
        Scenario(
            "full",
            "forced, natural and burst cold starts, then 4,000 Poisson arrivals per target: p99.9 becomes estimable",
            15.0,
            lambda rate: (
                Forced(80),
                IdleGaps(15, 4.0, idle_life_s=2.0),
                Bursts(5, 4, 8.0, idle_life_s=2.0),
                Poisson(rate, 4000, warm_up=50),
            ),
        ),
        Scenario(
            "stress",
            "a ramp to twice the sustainable rate, then steps around it: where does it break?",
            100.0,
            lambda rate: (Ramp(rate / 10, 2 * rate, 60.0), Steps((rate / 2, rate, rate * 1.5), 20.0)),
        ),
        Scenario(
            "closed",
            "10 users with 1 s of think time for a minute: what users would see, not what the targets can do",
            15.0,
            lambda rate: (Closed(10, 1.0, 60.0),),
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
        phases=lambda rate: tuple(build(table, rate=rate, folder=path.parent) for table in tables),
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
