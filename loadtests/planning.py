"""Makes the plan of a run: who is measured, how fast that may go, and the whole schedule."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

from loadtests.arrivals import Arrival, schedule
from loadtests.header import describe_run
from loadtests.pictures import digest
from loadtests.requester import Requester
from loadtests.scenarios import find, sustainable_rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.options import Options
    from loadtests.phases import Phase
    from loadtests.pictures import Picture
    from loadtests.sample import Sample
    from loadtests.targets import Target

LOG = logging.getLogger(__name__)
PROBES = 6  # per target; the first may be a cold start


class PlanError(Exception):
    """A target does not answer with a classification; the message names it and says what came."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be sent, and what goes into the store before it is."""

    header: dict[str, Any]
    targets: Sequence[Target]
    phases: Sequence[Phase]
    arrivals: Sequence[Arrival]
    probes: Sequence[Sample]
    images: str
    timeout_s: float
    in_flight_max: int


def make_plan(options: Options, targets: Sequence[Target], pictures: Sequence[Picture]) -> Plan:
    """Probe the targets, choose the rate, make the schedule. Raises PlanError when a target does not classify."""
    scenario = find(options.scenario)
    probes = probe(targets, pictures, timeout_s=options.timeout_s)
    rate = options.rate or sustainable_rate(warm_service_ms(probes), cpus=options.cpus, rate_max=scenario.rate_max)
    phases = scenario.phases(rate)
    arrivals = schedule(
        phases,
        [target.name for target in targets],
        forcible=[target.name for target in targets if target.control],
        images=len(pictures),
        seed=options.seed,
    )
    LOG.info("%d requests in %d phases, %.3g a second to each target", len(arrivals), len(phases), rate)
    settings = {
        "command": options.command,
        "scenario": options.scenario,
        "seed": options.seed,
        "rate_per_target": rate,
        "phases": [phase.name for phase in phases],
        "loop": "closed" if any(phase.loop == "closed" for phase in phases) else "open",
        "images": {"sha256": digest(pictures), "count": len(pictures)},
        "model": next((sample.model for sample in probes if sample.model), None),
        "timeout_s": options.timeout_s,
        "in_flight_max": options.in_flight_max,
    }
    return Plan(
        header=describe_run(targets, settings, options.notes),
        targets=targets,
        phases=phases,
        arrivals=arrivals,
        probes=probes,
        images=digest(pictures),
        timeout_s=options.timeout_s,
        in_flight_max=options.in_flight_max,
    )


def probe(targets: Sequence[Target], pictures: Sequence[Picture], *, timeout_s: float) -> list[Sample]:
    """Send PROBES requests to each target, one after another; they are kept as warm-up, with negative indexes."""
    found: list[Sample] = []
    requester = Requester(targets, pictures, worker="probe", timeout_s=timeout_s, keep=found.append)
    for number in range(PROBES):
        for target in targets:
            arrival = Arrival(-1 - len(found), 0.0, target.name, "warm-up", number)
            sample = requester.send(arrival, perf_counter())
            if sample.outcome != "ok":
                got = f"{sample.outcome} ({sample.error}, status {sample.status})"
                raise PlanError(
                    f"target {target.name!r} at {target.url} gave {got} for {pictures[number % len(pictures)].name}: "
                    "expected a classification; try `tripoint predict`, or curl, on that URL"
                )
    requester.close()
    return found


def warm_service_ms(probes: Sequence[Sample]) -> dict[str, float]:
    """Median service time of each target after its first probe."""
    times: dict[str, list[float]] = {}
    for sample in probes:
        times.setdefault(sample.target, []).append(sample.service_ms or 0.0)
    return {target: median(found[1:]) for target, found in times.items()}
