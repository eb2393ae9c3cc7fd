"""Send each target a few requests before the run: does it classify at all, and how fast?"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import gevent

from loadtests.plan.scenarios import PROBES
from loadtests.plan.schedule import Arrival
from loadtests.send.requester import Requester

if TYPE_CHECKING:
    from loadtests.plan.payloads import Payload
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample
    from loadtests.run.resources import RunResources

LOG = logging.getLogger(__name__)
WORKER = "probe"
AGAIN_AFTER_S = 0.5  # after a probe that failed
AGAIN_MAX_S = 5.0
# Rights, keys and gateways of what was deployed a moment ago take up to minutes to be known everywhere.
DEPLOYED_PATIENCE_S = 120.0
_CLOSED = (401, 403)


class ProbeError(Exception):
    """A target does not answer with a classification; the message names it and says what came."""


def probe(
    targets: Sequence[Target],
    payloads: Sequence[Payload],
    *,
    timeout_s: float,
    probed: Callable[[int, int], None],
    first: int = -1,
    origin_s: float,
    resources: RunResources,
) -> list[Sample]:
    """Send PROBES requests to each target, one after another; one that fails is sent once more.

    A target that was deployed, whose keys `resources` has, is asked again for DEPLOYED_PATIENCE_S until it answers.
    Their samples are kept as warm-up, with the negative indexes `first`, `first` - 1, …: no schedule holds them.
    `origin_s` is the `perf_counter` second at which the run's clock stands at 0. Raises ProbeError.
    """
    samples: list[Sample] = []
    sent = 0
    total = PROBES * len(targets)
    requester = Requester(
        targets,
        payloads,
        worker=WORKER,
        timeout_s=timeout_s,
        on_sample=samples.append,
        credentials=resources.credentials,
        budget=resources.budget,
    )
    requester.origin_s = origin_s

    def send(target: Target, number: int) -> Sample:
        nonlocal sent
        arrival = Arrival(first - sent, 0.0, target.name, "warm-up", number)
        sent += 1
        if not requester.admit(arrival):
            raise ProbeError(resources.insufficient_budget_message(target.name))
        requester.prepare(arrival)
        return requester.send(arrival, perf_counter())

    try:
        for done in range(total):
            number, target = done // len(targets), targets[done % len(targets)]
            probed(done, total)
            sample = send(target, number)
            if sample.outcome != "ok" and resources.credentials is not None:
                kept = len(samples) - 1
                sample = _once_ready(sample, functools.partial(send, target, number))
                del samples[kept:-1]  # what was asked too early says nothing of the target
            elif sample.outcome != "ok" and sample.status not in _CLOSED:
                gevent.sleep(AGAIN_AFTER_S)
                sample = send(target, number)  # once may be chance
            if sample.outcome != "ok":
                raise ProbeError(complaint(target, sample, payloads[number % len(payloads)].name))
    finally:
        requester.close()
    probed(total, total)
    return samples


def _once_ready(sample: Sample, send: Callable[[], Sample]) -> Sample:
    """Ask again, ever less often, until there is an answer; say how long that took."""
    begun_s, pause_s = perf_counter(), AGAIN_AFTER_S
    while sample.outcome != "ok" and perf_counter() - begun_s < DEPLOYED_PATIENCE_S:
        gevent.sleep(pause_s)
        pause_s = min(2 * pause_s, AGAIN_MAX_S)
        sample = send()
    if sample.outcome == "ok":
        LOG.info("target %s answered after %.0f s of waiting", sample.target, perf_counter() - begun_s)
    return sample


def complaint(target: Target, sample: Sample, picture: str) -> str:
    """What the target did instead of classifying."""
    status = "" if sample.status is None else f", status {sample.status}"
    if sample.status in _CLOSED:
        return (
            f"target {target.name!r} at {target.url} is closed (status {sample.status}): what `tripoint deploy` made "
            "is measured with --targets deployed, which brings the keys; where they were brought, look at the right "
            "to invoke and at this machine's clock"
        )
    return (
        f"target {target.name!r} at {target.url} gave {sample.outcome} ({sample.error}{status}) for {picture}: "
        f"expected a classification; try `curl --data-binary @{picture} {target.url}`"
    )


def end_s(samples: Sequence[Sample]) -> float:
    """When the last of `samples` was answered, or was to be sent; 0 without any."""
    return max((sample.intended_s if sample.done_s is None else sample.done_s for sample in samples), default=0.0)


def warm_service_ms(probes: Sequence[Sample]) -> dict[str, float]:
    """Median service time of each target after its first probe."""
    times: dict[str, list[float]] = {}
    for sample in probes:
        times.setdefault(sample.target, []).append(sample.service_ms or 0.0)
    return {target: median(samples[1:]) for target, samples in times.items()}
