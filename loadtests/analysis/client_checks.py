"""Check the client and its machine: did they measure the targets, or themselves? Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from loadtests.analysis.check import Check, check_result
from loadtests.analysis.target_summary import LATE_MS
from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.record.columns import Columns
    from loadtests.record.run_data import RunData

CLIENT_CPU_MAX_PERCENT = 70.0
MACHINE_CPU_MAX_PERCENT = 90.0
FLOOR_SHARE_MAX = 0.10
CLOCK_JUMP_MAX_MS = 50.0  # a clock that is slewed, not set, moves at most 0.5 ms a second


def client_cpu(record: RunData) -> Check:
    """The client's own processor use: a saturated client measures itself."""
    use = {worker: float(np.mean(values)) for worker, values in _pulses(record, "cpu_percent").items()}
    if not use:
        return Check("client-cpu", "unknown", "the run holds no readings of the client's processor use")
    worker = max(use, key=lambda name: use[name])
    finding = f"worker {worker} used {use[worker]:.0f} % of a core on average, limit {CLIENT_CPU_MAX_PERCENT:.0f} %"
    remedy = "lower the rate, or add workers (--workers) or machines"
    return check_result("client-cpu", use[worker] > CLIENT_CPU_MAX_PERCENT, finding, remedy)


def client_floor(record: RunData, summary: Summary) -> Check:
    """What the client itself adds, as `tripoint calibrate` measured it, against the fastest target."""
    found = next((event.document for event in reversed(record.events) if event.kind == "calibration"), None)
    if found is None:
        return Check("client-floor", "unknown", "the client's own floor was not measured (`tripoint calibrate` does)")
    floor_ms = float(found["floor"]["p50_ms"])
    warm = [part.typical.estimates["p50_ms"].value for part in summary.targets]
    fastest_ms = min((value for value in warm if value is not None), default=math.inf)
    if math.isinf(fastest_ms):
        return Check(
            "client-floor", "unknown", f"the client itself takes {format_number(floor_ms)} ms; no target has a median"
        )
    finding = (
        f"the client itself takes {format_number(floor_ms)} ms of the fastest target's "
        f"{format_number(fastest_ms)} ms (medians), limit {FLOOR_SHARE_MAX:.0%}"
    )
    remedy = "the figures are partly the client's: use a faster or quieter machine for the client"
    return check_result("client-floor", floor_ms > FLOOR_SHARE_MAX * fastest_ms, finding, remedy)


def slip(columns: Mapping[str, Columns]) -> Check:
    """Actual minus intended send time over all targets."""
    slips = np.concatenate([each.slip_ms[~np.isnan(each.slip_ms)] for each in columns.values()] or [np.empty(0)])
    if not slips.size:
        return Check("slip", "unknown", "nothing was sent")
    p99_ms = float(np.percentile(slips, 99))
    finding = (
        f"99 % were sent within {format_number(p99_ms)} ms of the intended time, limit {format_number(LATE_MS)} ms"
    )
    remedy = "lower the rate, close what else runs on this machine, or add workers (--workers)"
    return check_result("slip", p99_ms > LATE_MS, finding, remedy)


def clock(record: RunData) -> Check:
    """Jumps of the wall clock against the steady one, between two readings of a worker."""
    readings = _pulses(record, "wall_minus_steady_s")
    jumps = [float(np.abs(np.diff(values)).max()) * 1000 for values in readings.values() if len(values) > 1]
    if not jumps:
        return Check("clock", "unknown", "the run holds too few clock readings")
    limit_ms = format_number(CLOCK_JUMP_MAX_MS)
    finding = f"the wall clock jumped by at most {format_number(max(jumps))} ms, limit {limit_ms} ms"
    remedy = "timestamps are off (latencies are not): let the clock settle, do not suspend the machine, and repeat"
    return check_result("clock", max(jumps) > CLOCK_JUMP_MAX_MS, finding, remedy)


def machine(record: RunData) -> Check:
    """How busy the client's machine was: on a local run the targets compete with everything else on it."""
    use = [value for values in _pulses(record, "machine_percent").values() for value in values]
    if not use:
        return Check("machine", "unknown", "the run holds no readings of the machine's processor use")
    mean = float(np.mean(use))
    finding = f"the machine was {mean:.0f} % busy on average, limit {MACHINE_CPU_MAX_PERCENT:.0f} %"
    remedy = "requests queued for processors: close what else runs, lower the rate, and repeat"
    return check_result("machine", mean > MACHINE_CPU_MAX_PERCENT, finding, remedy)


def _pulses(record: RunData, name: str) -> dict[str, list[float]]:
    """The readings of one name by worker, in order of time."""
    readings: dict[str, list[float]] = {}
    for event in record.events:
        if event.kind == "pulse" and name in event.document:
            readings.setdefault(event.worker, []).append(float(event.document[name]))
    return readings
