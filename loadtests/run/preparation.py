"""Prepare a run: its targets, how fast they may be asked, and the whole schedule."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.emulator.memory_sizes import boosted_s
from loadtests.plan.payloads import payloads_digest
from loadtests.plan.phases import describe
from loadtests.plan.scenarios import find, sustainable_rate
from loadtests.plan.schedule import schedule
from loadtests.record.header import describe_run
from loadtests.run.probe import probe, warm_service_ms
from loadtests.run.resources import RunResources

if TYPE_CHECKING:
    from loadtests.plan.payloads import Payload
    from loadtests.plan.schedule import Arrival
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample
    from loadtests.run.options import Options

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """What will be sent; `phases` are as the header keeps them.

    The run's clock stands at 0 at the `perf_counter` second `origin_s` of the master: it began with the probes,
    or with the run that is resumed. `means` hold secrets, which the header does not.
    """

    header: Mapping[str, Any]
    targets: Sequence[Target]
    arrivals: Sequence[Arrival]
    probes: Sequence[Sample]
    origin_s: float
    resources: RunResources = field(default_factory=RunResources, repr=False)

    @property
    def phases(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.header["phases"]
        return found

    @property
    def timeout_s(self) -> float:
        return float(self.header["timeout_s"])

    def settings(self, workers: int) -> dict[str, Any]:
        """What each of `workers` has to know; `begin_s` is what the run's clock shows when it is told."""
        return {
            "targets": [target.document() for target in self.targets],
            "images": self.header["images"]["sha256"],
            "image_count": self.header["images"]["count"],
            "seed": self.header["seed"],
            "timeout_s": self.timeout_s,
            "in_flight_max": self.header["in_flight_max"],
            "begin_s": perf_counter() - self.origin_s,
            **self.resources.settings(workers),
        }


def settling_s(targets: Sequence[Target]) -> float:
    """For how long, in seconds, new instances of some of `targets` have more processor time than their size gives."""
    longest_s = 0.0
    for target in targets:
        if target.cloud in contract.clouds():
            memory = contract.load(target.cloud).data["memory"]
            if target.memory_mb < memory["default_mb"]:  # with less than one vCPU
                longest_s = max(longest_s, boosted_s(memory))
    return longest_s


def prepare_run(
    options: Options,
    targets: Sequence[Target],
    payloads: Sequence[Payload],
    *,
    probed: Callable[[int, int], None],
    resources: RunResources,
) -> PreparedRun:
    """Probe the targets, choose the rate, make the schedule.

    `probed` is told how many of how many probes are answered. Raises ScenarioError, and ProbeError when a target
    does not classify.
    """
    scenario = find(options.scenario)
    origin_s = perf_counter()
    probes = probe(
        targets, payloads, timeout_s=options.timeout_s, probed=probed, origin_s=origin_s, resources=resources
    )
    sustained = sustainable_rate(warm_service_ms(probes), cpus=options.cpus, rate_max=scenario.rate_max)
    rate = options.rate or float(f"{sustained:.3g}")
    phases = scenario.phases(rate, settling_s(targets))
    arrivals = schedule(
        phases,
        [target.name for target in targets],
        forcible=[target.name for target in targets if target.control or resources.can_force_cold_start(target.name)],
        images=len(payloads),
        seed=options.seed,
        light=[target.name for target in targets if target.empty],
    )
    LOG.info("%d requests in %d phases, %g a second to each target", len(arrivals), len(phases), rate)
    settings = {
        "command": options.command,
        "scenario": options.scenario,
        "seed": options.seed,
        "rate_per_target": rate,
        "phases": [describe(phase) for phase in phases],
        "loop": "closed" if any(phase.loop == "closed" for phase in phases) else "open",
        "images": {"sha256": payloads_digest(payloads), "count": len(payloads)},
        "model": next((sample.model for sample in probes if sample.model), None),
        "timeout_s": options.timeout_s,
        "in_flight_max": options.in_flight_max,
        "budget_usd": options.budget_usd,
    }
    header = describe_run(targets, settings, options.notes)
    return PreparedRun(header, targets, arrivals, probes, origin_s, resources)
