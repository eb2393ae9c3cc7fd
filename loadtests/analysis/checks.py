"""Find what makes a run untrustworthy, and say what to do about it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from adapters import contract
from adapters.emulator.memory_sizes import cpu_share
from loadtests.analysis.billing_check import billing
from loadtests.analysis.check import Check, CheckState, check_result
from loadtests.analysis.client_checks import client_cpu, client_floor, clock, machine, slip
from loadtests.analysis.comparison import BAD_SHARE_MAX, series
from loadtests.analysis.target_summary import PROVOKED, TABLE_QUANTILES
from loadtests.plan.targets import ENFORCED, UNKNOWN_SHARE
from loadtests.record.platform_reports import EVENT
from loadtests.stats.instance_shift import units_of_time

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.plan.targets import Target
    from loadtests.record.columns import Columns
    from loadtests.record.run_data import RunData
    from loadtests.record.sample import Sample

__all__ = ["Check", "CheckState", "check", "failed"]

DRIFT_MAX = 0.10
SPREAD_MAX = 0.25
MEMORY_RATIO_MAX = 1.25  # clouds do not offer the same sizes: 1,769 MB on one and 2,048 on another are alike
_SURE = 0.01
_STRETCHES = 10
_DRIFT_NEEDS = 30  # requests
_LATER = ("calibration", EVENT)  # events that may be noted after the end
_ENDINGS = {"finished": "finished", "interrupted": "was interrupted", "failed": "failed"}


def check(record: RunData, summary: Summary) -> list[Check]:
    """Every check of a run; `summary` is the record's own."""
    columns = record.columns
    return [
        _complete(record),
        client_cpu(record),
        client_floor(record, summary),
        slip(columns),
        clock(record),
        _errors(columns),
        _samples(summary, columns),
        _alike(record, sweep=summary.sweep is not None),
        _drift(columns),
        machine(record),
        _spread(record),
        *billing(record),
    ]


def failed(checks: Sequence[Check]) -> list[Check]:
    """The checks that say the run should not be trusted."""
    return [each for each in checks if each.state == "failed"]


def _complete(record: RunData) -> Check:
    """Whether the run came to its end with every planned request accounted for."""
    kinds = [event.kind for event in record.events if event.kind not in _LATER]
    lost = [event for event in record.events if event.kind == "worker-lost"]
    enough = next((str(event.document.get("reason")) for event in record.events if event.kind == "enough"), None)
    missing = max(record.planned - sum(sample.index >= 0 for sample in record.samples), 0)
    ending = _ENDINGS.get(kinds[-1] if kinds else "", "did not end")
    finding = f"the run {ending}, {missing:,} planned requests are missing"
    if enough is not None:
        finding, missing = f"the run {ending} before its schedule's end: {enough}", 0
    if lost:
        undelivered = sum(int(event.document.get("undelivered", 0)) for event in lost)
        names = ", ".join(event.worker for event in lost)
        finding += f"; lost worker {names} had sent up to {undelivered:,} that were not delivered"
    bad = ending != "finished" or missing > 0 or bool(lost)
    return check_result("complete", bad, finding, "resume the run, or repeat it; see locust.log in its folder")


def _errors(columns: Mapping[str, Columns]) -> Check:
    """Failed, timed-out and dropped requests of the worst target."""
    shares = {name: 1 - each.count(outcome="ok") / each.n for name, each in columns.items() if each.n}
    if not shares:
        return Check("errors", "failed", "no request was sent", "repeat the run")
    name = max(shares, key=lambda each: shares[each])
    finding = f"{shares[name]:.1%} of {name}'s requests failed or had no answer, limit {BAD_SHARE_MAX:.0%}"
    remedy = "see the errors of the samples (tripoint export), the target's log, and its limits"
    return check_result("errors", shares[name] > BAD_SHARE_MAX, finding, remedy)


def _samples(summary: Summary, columns: Mapping[str, Columns]) -> Check:
    """Percentiles of the table that the load was for and that could not be estimated."""
    steady = any(each.count(stratum="steady") for each in columns.values())
    provoked = any(each.count(stratum=stratum) for each in columns.values() for stratum in PROVOKED)
    quantiles = ("p50_ms", "p95_ms") if summary.sweep else TABLE_QUANTILES  # a sweep is judged by p95
    missing = []
    for part in summary.targets:
        wanted = {f"warm {name}": part.typical.estimates[name] for name in quantiles} if steady else {}
        wanted |= {"cold p50_ms": part.cold.headline.estimates["p50_ms"]} if provoked else {}
        missing += [f"{part.target.name} {name}: {each.reason}" for name, each in wanted.items() if each.reason]
    finding = "; ".join(missing) or "every percentile that the load was for has an interval"
    return check_result("samples", bool(missing), finding, "send more requests: a longer scenario, or a higher rate")


def _alike(record: RunData, *, sweep: bool) -> Check:
    """Whether the targets differ in nothing but what is compared; a sweep compares sizes and architectures."""
    seen = {
        "CPU shares": {target.cpu_share for target in record.targets} - {UNKNOWN_SHARE},
        "models": {sample.model for sample in record.samples if sample.model},
    }
    if not sweep:
        seen["memory sizes, MB"] = _unequal({target.memory_mb for target in record.targets})
        seen["architectures"] = {target.architecture for target in record.targets}
    mixed = [f"{what}: {', '.join(sorted(values))}" for what, values in seen.items() if len(values) > 1]
    same = (
        "one CPU share, one model" if sweep else "memory sizes are alike; one CPU share, one architecture, one model"
    )
    finding = "; ".join(mixed) or same
    remedy = "differences between targets may come from these: give all of them the same, or compare equal ones only"
    return check_result("alike", bool(mixed), finding, remedy)


def _unequal(sizes_mb: set[int]) -> set[str]:
    """The sizes in words, when they are too far apart to be called alike."""
    apart = max(sizes_mb, default=0) > MEMORY_RATIO_MAX * min(sizes_mb, default=0)
    return {str(size) for size in sizes_mb} if apart else set()


def _drift(columns: Mapping[str, Columns]) -> Check:
    """The last third of the warm requests against the first third, of the target that drifts most."""
    found = {name: drift for name, each in columns.items() if (drift := _relative_drift(each)) is not None}
    if not found:
        return Check("drift", "unknown", "too few warm requests to tell")
    name = max(found, key=lambda each: abs(found[each]))
    finding = (
        f"{name}'s warm latency moved by {found[name]:+.1%} from the first to the last third, limit {DRIFT_MAX:.0%}"
    )
    remedy = "comparisons hold (targets are interleaved), single figures do not: repeat on a quiet machine, or longer"
    return check_result("drift", abs(found[name]) > DRIFT_MAX, finding, remedy)


def _relative_drift(columns: Columns) -> float | None:
    """Change from the first to the last third over the median; 0 when it may be chance, None with too few requests.

    Instances, or stretches of time, are the units: Theil and Sen's slope of their medians, and Kendall's test.
    """
    warm = series(columns, kind="warm", stratum="steady")
    if warm.values.size < _DRIFT_NEEDS:
        return None
    unit = units_of_time(warm, stretches=_STRETCHES)
    masks = [unit == each for each in np.unique(unit)]
    at_s = np.array([np.median(warm.at_s[mask]) for mask in masks])
    medians = np.array([np.median(warm.values[mask]) for mask in masks])
    from scipy import stats

    if stats.kendalltau(at_s, medians).pvalue >= _SURE:
        return 0.0
    slope = float(stats.theilslopes(medians, at_s).slope)
    return slope * float(np.ptp(warm.at_s)) * 2 / 3 / float(np.median(warm.values))


def _spread(record: RunData) -> Check:
    """How much the inference alone varies on one target: the work is the same each time, so this is noise.

    Below one vCPU it is not: the platform's quota stops the function some of the time.
    """
    spreads = {}
    throttled = [target.name for target in record.targets if _below_one_vcpu(target)]
    for target in record.targets:
        if target.name in throttled:
            continue
        times = [s.inference_ms for s in record.samples if s.target == target.name and _is_steady(s)]
        known = np.array([each for each in times if each is not None])
        if known.size >= 20:
            low, middle, high = np.percentile(known, (25, 50, 75))
            spreads[target.name] = float((high - low) / middle) if middle else 0.0
    aside = (
        f"; below one vCPU the CPU quota stops the function, so {', '.join(throttled)} cannot tell"
        if throttled
        else ""
    )
    if not spreads:
        return Check("noise", "unknown", f"too few answers that tell how long the inference took{aside}")
    name = max(spreads, key=lambda each: spreads[each])
    finding = f"inference on {name} varies by {spreads[name]:.0%} (middle half over median), limit {SPREAD_MAX:.0%}"
    finding += aside
    remedy = (
        "the machine that runs the target is noisy: repeat when it is quiet; intervals are wider than they could be"
    )
    return check_result("noise", spreads[name] > SPREAD_MAX, finding, remedy)


def _below_one_vcpu(target: Target) -> bool:
    """Whether the target's size has less than one vCPU on its cloud; False where that is not known."""
    real = target.cpu_share == UNKNOWN_SHARE and target.control is None
    if target.cloud not in contract.clouds() or not (real or target.cpu_share.startswith(ENFORCED)):
        return False
    try:
        return cpu_share(contract.load(target.cloud).data["memory"], target.memory_mb) < 1
    except ValueError:
        return False


def _is_steady(sample: Sample) -> bool:
    return bool(sample.outcome == "ok" and sample.stratum == "steady" and sample.state == "warm")
