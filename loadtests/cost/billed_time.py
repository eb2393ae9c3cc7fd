"""Billed time of measured requests: from raw samples to instance-seconds per request. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from loadtests.cost.gateway import steps_of

if TYPE_CHECKING:
    from loadtests.cost.duration import DurationRule, Interval
    from loadtests.record.sample import Sample

_REPORT = re.compile(r"Billed Duration:\s*(\d+(?:\.\d+)?)\s*ms")
_ZERO = Decimal(0)
_PROVOKED = ("forced", "natural", "burst")

NO_SERVER_TIME = "{n} answers carried no server time: the client's time, which is longer, is billed for them"
NO_TIME = "{n} requests without an answer count as requests with no billed time: what they cost is unknown"
PROVOKED = "cold starts were provoked in this run: the share of cold starts is the experiment's, not a service's"
COLD = "{cold} of the {n} requests that count started cold, as this load had it"
REPORTED = "billed duration of {n} of {of} requests is the platform's own (REPORT line)"
SERVER = "billed duration is the function's own time as it reports it, rounded by the plan's rule"
INIT = "a cold start adds its initialisation as the instance measured it, from its own start on"
SHARED = "requests that meet in an instance are billed once: how often they meet follows from the month's volume"


@dataclass(frozen=True, slots=True)
class BilledRequests:
    """Requests of one instance (or of one request, where the instance is unknown): what they took and are billed.

    `instance` is None where it is unknown. `worked_ms` is the sum of the function's own times.
    """

    requests: int
    billed_ms: Decimal
    worked_ms: Decimal
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class BilledTime:
    """Billed time of a run by instance, means over its requests, and what had to be assumed.

    `shared`: requests share what is billed, so that it depends on how often they meet, and with that on the rate.
    `init_ms` is the mean initialisation of a cold start. `gateway_steps` is how many requests one counts for at a
    gateway that meters by size.
    """

    instances: tuple[BilledRequests, ...]
    shared: bool
    worked_ms: Decimal
    init_ms: Decimal
    cold_share: Decimal
    response_bytes: Decimal
    assumptions: tuple[str, ...]
    gateway_steps: Decimal = Decimal(1)

    @property
    def requests(self) -> int:
        return sum(each.requests for each in self.instances)


def observe(rule: DurationRule, samples: Sequence[Sample], *, concurrency: int) -> BilledTime:
    """Billed time under `rule` of the steady requests (where there are none: of all but warm-up)."""
    chosen, notes = _representative([sample for sample in samples if sample.outcome != "dropped"])
    shared = rule.sharing == "instance" and (concurrency > 1 or rule.minimum_per == "activity")
    groups: dict[str, list[Sample]] = defaultdict(list)
    for sample in chosen:
        groups[sample.instance or f"request {sample.worker} {sample.index}"].append(sample)
    instances = tuple(_billed_requests(rule, group, shared=shared) for group in groups.values())
    worked = [time for sample in chosen if (time := _worked_ms(sample)) is not None]
    inits = [time for sample in chosen if (time := _init_ms(sample))]
    return BilledTime(
        instances=instances,
        shared=shared,
        worked_ms=sum(worked, _ZERO) / max(len(worked), 1),
        init_ms=sum(inits, _ZERO) / max(len(inits), 1),
        cold_share=Decimal(sum(sample.state == "cold" for sample in chosen)) / max(len(chosen), 1),
        response_bytes=Decimal(sum(sample.response_bytes for sample in chosen)) / max(len(chosen), 1),
        assumptions=(*notes, *_assumptions(rule, chosen, shared=shared)),
        gateway_steps=sum(map(_steps, chosen), _ZERO) / len(chosen) if chosen else Decimal(1),
    )


def _steps(sample: Sample) -> Decimal:
    return steps_of(max(sample.request_bytes, sample.response_bytes))


def _representative(samples: Sequence[Sample]) -> tuple[list[Sample], list[str]]:
    """The requests whose share of cold starts is that of a service under load."""
    steady = [sample for sample in samples if sample.stratum == "steady"]
    if steady:
        return steady, []
    provoked = [sample for sample in samples if sample.stratum in _PROVOKED]
    return provoked, [PROVOKED] if provoked else []


def _billed_requests(rule: DurationRule, samples: Sequence[Sample], *, shared: bool) -> BilledRequests:
    worked = sum((time for sample in samples if (time := _worked_ms(sample)) is not None), _ZERO)
    return BilledRequests(len(samples), _billed_ms(rule, samples, shared=shared), worked, samples[0].instance)


def _billed_ms(rule: DurationRule, samples: Sequence[Sample], *, shared: bool) -> Decimal:
    if shared:
        return rule.shared_ms([busy for sample in samples if (busy := _busy(rule, sample)) is not None])
    return sum((_alone_ms(rule, sample) for sample in samples), _ZERO)


def _alone_ms(rule: DurationRule, sample: Sample) -> Decimal:
    reported = reported_ms(sample)
    if reported is not None:
        return reported
    return estimated_ms(rule, sample) or _ZERO


def estimated_ms(rule: DurationRule, sample: Sample) -> Decimal | None:
    """What a request that is alone in its instance is billed, by our rule and the times of the instance or client."""
    worked = _worked_ms(sample)
    return None if worked is None else rule.billed_ms(worked, _init_ms(sample))


def reported_ms(sample: Sample) -> Decimal | None:
    """The billed duration that the platform itself wrote, if the sample has that.

    It was read back after the run, or came with the answer as the REPORT line of a direct invocation's log tail.
    """
    if sample.report is not None:
        return exact(sample.report.billed_ms)
    found = _REPORT.search(sample.platform or "")
    return Decimal(found[1]) if found else None


def _worked_ms(sample: Sample) -> Decimal | None:
    worked = sample.service_ms if sample.total_ms is None and sample.outcome == "ok" else sample.total_ms
    return None if worked is None else exact(worked)


def _init_ms(sample: Sample) -> Decimal:
    return exact(sample.init_ms) if sample.state == "cold" and sample.init_ms is not None else _ZERO


def _busy(rule: DurationRule, sample: Sample) -> Interval | None:
    """When the instance worked on this request, in ms of the client's clock."""
    worked = _worked_ms(sample)
    if worked is None or sample.done_s is None or sample.service_ms is None:
        return None
    outside = max(exact(sample.service_ms) - worked, _ZERO)
    end = exact(sample.done_s) * 1000 - outside / 2
    return end - worked - (_init_ms(sample) if rule.init_billed else _ZERO), end


def _assumptions(rule: DurationRule, samples: Sequence[Sample], *, shared: bool) -> list[str]:
    ours = samples if shared else [sample for sample in samples if reported_ms(sample) is None]
    reported = len(samples) - len(ours)
    untimed = sum(_worked_ms(sample) is None for sample in ours)
    guessed = sum(sample.total_ms is None and sample.outcome == "ok" for sample in ours)
    cold = sum(sample.state == "cold" for sample in samples)
    notes = [COLD.format(cold=cold, n=len(samples))] if samples else []
    notes += [REPORTED.format(n=reported, of=len(samples))] if reported else []
    notes += [SERVER] if ours else []
    notes += [INIT] if rule.init_billed and any(_init_ms(sample) for sample in ours) else []
    notes += [SHARED] if shared else []
    notes += [NO_SERVER_TIME.format(n=guessed)] if guessed else []
    return notes + ([NO_TIME.format(n=untimed)] if untimed else [])


def exact(value: float) -> Decimal:
    """The decimal that prints like `value`: 100.77 stays 100.77, so that rounding up is not led astray."""
    return Decimal(repr(float(value)))
