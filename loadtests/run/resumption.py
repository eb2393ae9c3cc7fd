"""Resume a run that ended early: send what its store lacks of the schedule, with new due times."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

from loadtests.plan.payloads import payloads_digest
from loadtests.record.cold_state import classify_samples
from loadtests.run.preparation import PreparedRun
from loadtests.run.probe import end_s, probe

if TYPE_CHECKING:
    from loadtests.plan.payloads import Payload
    from loadtests.plan.schedule import Arrival
    from loadtests.plan.targets import Target
    from loadtests.record.store import Store
    from loadtests.run.options import Options
    from loadtests.run.resources import RunResources

PAUSE_S = 1.0  # on the run's clock, between what was measured and what comes now
_SAME = ("name", "cloud", "plan", "region", "memory_mb", "concurrency", "architecture")


class ResumeError(Exception):
    """The run cannot be resumed with these targets or images; the message says what differs."""


def resume_run(
    options: Options,
    store: Store,
    targets: Sequence[Target],
    payloads: Sequence[Payload],
    *,
    probed: Callable[[int, int], None],
    resources: RunResources,
) -> PreparedRun:
    """The plan for the rest of the run in `store`. Raises ResumeError, or ProbeError."""
    header, samples = store.header(), classify_samples(store.samples())
    refuse_other(header, targets, payloads_digest(payloads))
    done = {sample.index for sample in samples}
    for sample in samples:
        if resources.budget is not None:
            resources.budget.settle(sample)
    origin_s = perf_counter() - end_s(samples) - PAUSE_S
    probes = probe(
        targets,
        payloads,
        timeout_s=options.timeout_s,
        probed=probed,
        first=min([0, *done]) - 1,
        origin_s=origin_s,
        resources=resources,
    )
    return PreparedRun(header, targets, remaining(store.schedule(), done), probes, origin_s, resources)


def remaining(arrivals: Iterable[Arrival], done: set[int]) -> list[Arrival]:
    """The arrivals that were not answered for, each phase starting with the first of them.

    Gaps that lie between them stay as they were scheduled.
    """
    left = [arrival for arrival in arrivals if arrival.index not in done]
    starts: dict[int, float] = {}
    for arrival in left:
        starts[arrival.phase] = min(arrival.offset_s, starts.get(arrival.phase, arrival.offset_s))
    return [replace(arrival, offset_s=arrival.offset_s - starts[arrival.phase]) for arrival in left]


def refuse_other(header: Mapping[str, Any], targets: Sequence[Target], images: str) -> None:
    """Raise ResumeError unless targets (but for their URLs) and images are those of the run."""
    if header["loop"] == "closed":
        raise ResumeError("a closed-loop run has no schedule to resume: start a new one")
    before = [{name: target.get(name) for name in _SAME} for target in header["targets"]]
    now = [{name: target.document().get(name) for name in _SAME} for target in targets]
    if before != now:
        raise ResumeError(f"the run measured {before}, not {now}: give the same targets, or start a new run")
    if header["images"]["sha256"] != images:
        raise ResumeError("the run sent other images: give the same --images, or start a new run")
