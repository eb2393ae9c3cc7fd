"""Divide the time of one request, from the intended send to the last byte of the response. Pure.

The parts add up to the client's latency. Every part is a duration on one clock, the client's or the instance's;
"platform" is what remains between the two: network, placement, fetching the package, starting the process, and the
way back. What cannot be told apart is one part, whose name says what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

TICK_MS = 10.0  # of the clock in which Linux keeps when a process started; what it says is up to so much too early
ORDER = (
    "late send",
    "connect",
    "tls",
    "platform",
    "platform and runtime start",
    "start, begun before the request",
    "runtime start",
    "imports",
    "model load",
    "rest of init",
    "hand-over",
    "decode",
    "preprocess",
    "first inference",
    "inference",
    "rest of handling",
    "answer",
)


@dataclass(frozen=True, slots=True)
class WaterfallStep:
    """One bar of the waterfall; `name` is one of ORDER."""

    name: str
    ms: float


def waterfall(sample: Sample) -> tuple[WaterfallStep, ...]:
    """The parts of an answered request, in order. Raises ValueError for one that was not answered."""
    if sample.service_ms is None or sample.slip_ms is None:
        raise ValueError(f"request {sample.index} was {sample.outcome}: only an answered one has a waterfall")
    client = _present({"connect": sample.connect_ms, "tls": sample.tls_ms, "answer": sample.answer_ms})
    handling = _handling(sample)
    waited_ms = sample.service_ms - sum(client.values()) - sum(handling.values())
    start = _start(sample, waited_ms) if sample.state == "cold" else {"platform": waited_ms}
    found = {"late send": sample.slip_ms, **client, **start, **handling}
    return tuple(WaterfallStep(name, found[name]) for name in ORDER if name in found)


def mean_waterfall(samples: Iterable[Sample]) -> tuple[WaterfallStep, ...]:
    """Means of the parts over answered requests; they add up to the mean latency. Empty without any."""
    falls = [waterfall(sample) for sample in samples if sample.done_s is not None and sample.sent_s is not None]
    totals: dict[str, float] = {}
    for part in (part for fall in falls for part in fall):
        totals[part.name] = totals.get(part.name, 0.0) + part.ms
    return tuple(WaterfallStep(name, totals[name] / len(falls)) for name in ORDER if name in totals)


def total_ms(parts: Sequence[WaterfallStep]) -> float:
    """The sum: the latency from the intended send."""
    return sum(part.ms for part in parts)


def _handling(sample: Sample) -> dict[str, float]:
    """The handler's own parts; its total alone where it tells no more."""
    if sample.total_ms is None:
        return {}
    first = "first inference" if sample.request_number == 1 else "inference"
    found = _present({"decode": sample.decode_ms, "preprocess": sample.preprocess_ms, first: sample.inference_ms})
    return {**found, "rest of handling": sample.total_ms - sum(found.values())}


def _start(sample: Sample, waited_ms: float) -> dict[str, float]:
    """How a cold request's wait outside the handler divides.

    Readiness was `since_ready_ms` before the handler began, so the start of the instance had the rest of the wait.
    When runtime start and init are longer than that, they had begun before the request was sent (another request,
    or the platform, caused them): how much of each this request waited for is not known. The start of a process is
    known to a clock tick only, so an excess of less than a tick is taken from the runtime's start.
    """
    hand_over_ms = sample.since_ready_ms or 0.0
    known_ms = waited_ms - hand_over_ms
    init = _init(sample)
    runtime_ms = _runtime_start_ms(sample)
    rest_ms = known_ms - sum(init.values()) - (runtime_ms or 0.0)
    if runtime_ms is not None and -min(runtime_ms, TICK_MS) <= rest_ms < 0:
        runtime_ms, rest_ms = runtime_ms + rest_ms, 0.0
    if rest_ms < 0:
        return {"start, begun before the request": known_ms, "hand-over": hand_over_ms}
    if runtime_ms is None:
        return {"platform and runtime start": rest_ms, **init, "hand-over": hand_over_ms}
    return {"platform": rest_ms, "runtime start": runtime_ms, **init, "hand-over": hand_over_ms}


def _init(sample: Sample) -> dict[str, float]:
    if sample.init_ms is None:
        return {}
    found = _present({"imports": sample.imports_ms, "model load": sample.model_load_ms})
    return {**found, "rest of init": sample.init_ms - sum(found.values())}


def _runtime_start_ms(sample: Sample) -> float | None:
    """From the process's start to the first line of the entry; both are the instance's wall clock."""
    if sample.process_start_unix_s is None or sample.init_start_unix_s is None:
        return None
    return max((sample.init_start_unix_s - sample.process_start_unix_s) * 1000, 0.0)


def _present(parts: dict[str, float | None]) -> dict[str, float]:
    return {name: ms for name, ms in parts.items() if ms is not None}
