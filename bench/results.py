"""Compute the document `bench/results.json` (schema: docs/bench-results.schema.json) and the printed table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench.ratios import Ratio, RatioTarget, median_ms, paired
from core import cpu_count
from loadtests.record import machine
from loadtests.record.machine import NOISY_SPREAD, spread

if TYPE_CHECKING:
    from bench.inputs import BenchInputs
    from bench.measure import SubjectTimes
    from loadtests.stats.estimate import Estimate

SCHEMA = 1
# ratio -> (measurement, upper, lower, target); those whose subjects were not run are left out.
_WARM = {
    "course_over_ours_warm": ("course", "ours aws", RatioTarget(1.5, at_most=False)),
    "litert_over_direct_warm": ("ours aws litert", "ours aws", None),
}
_COLD = {
    "cold_over_floor": ("plain", "floor", RatioTarget(1.10, at_most=True)),
    "cold_over_floor_direct": ("direct", "floor", RatioTarget(0.65, at_most=True)),
    "course_over_ours_cold": ("course", "direct", RatioTarget(1.5, at_most=False)),
    "tensorflow_over_ours_cold": ("tensorflow", "direct beside tensorflow", RatioTarget(20, at_most=False)),
    "nopyc_over_ours_cold": ("plain without pyc", "plain", None),
}


@dataclass(frozen=True, slots=True)
class BenchMeasurements:
    """Everything that was measured."""

    warm: SubjectTimes
    cold: SubjectTimes
    threads: Sequence[Mapping[str, Any]]
    memory: Sequence[Mapping[str, Any]]
    load_before: float | None
    skipped: Mapping[str, str]


def ratios(measured: BenchMeasurements) -> list[Ratio]:
    """Every ratio whose two sides were measured."""
    warm, cold = measured.warm.by_subject, measured.cold.by_subject
    cpu = measured.cold.cpu_by_subject
    wanted = [(f"warm_over_floor {name[5:]}", name, _floor_of(name)) for name in warm if name.startswith("ours ")]
    found = [Ratio(name, up, low, paired(warm, up, low), RatioTarget(1.05, at_most=True)) for name, up, low in wanted]
    for table, times in ((_WARM, warm), (_COLD, cold)):
        for name, (upper, lower, target) in table.items():
            if upper in times and lower in times:
                found.append(Ratio(name, upper, lower, paired(times, upper, lower), target))
    for name in ("plain", "direct"):
        if name in cpu:
            found.append(Ratio(f"cold_cpu_over_floor {name}", name, "floor", paired(cpu, name, "floor")))
    return found


def _floor_of(name: str) -> str:
    return "floor litert" if name.endswith(" litert") else "floor"


def threads_by_level(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Medians over the rounds: requests per second of either side and what their ratio is."""
    found = []
    for level in sorted({row["level"] for row in rows}):
        pool, lock = (
            [row for row in rows if row["level"] == level and row["subject"] == name] for name in ("pool", "lock")
        )
        found.append(
            {
                "threads": level,
                "pool_per_s": _middle(pool, "per_s"),
                "lock_per_s": _middle(lock, "per_s"),
                "pool_over_lock": _middle_of([a["per_s"] / b["per_s"] for a, b in zip(pool, lock, strict=True)]),
                "worst_wait_over_share": max(row["worst_wait_over_share"] for row in pool),
            }
        )
    alone = found[0]["pool_per_s"] if found else 1.0
    return [row | {"pool_over_one_thread": row["pool_per_s"] / alone} for row in found]


def _middle(rows: Sequence[Mapping[str, Any]], key: str) -> float:
    return _middle_of([float(row[key]) for row in rows])


def _middle_of(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def noise(measured: BenchMeasurements) -> dict[str, Any]:
    """How evenly a fixed piece of work ran through both measurements, and whether that is good enough."""
    found = {name: spread(times.spins_s) for name, times in (("warm", measured.warm), ("cold", measured.cold))}
    busy = measured.load_before is not None and measured.load_before > cpu_count.count() / 2
    return {"spread": found, "noisy": busy or max(found.values()) > NOISY_SPREAD, "load_before": measured.load_before}


def document(measured: BenchMeasurements, material: BenchInputs, *, command: str, date: str) -> dict[str, Any]:
    """Everything, the raw times too, so that each figure can be recomputed."""
    return {
        "schema": SCHEMA,
        "date": date,
        "command": command,
        "machine": machine.describe(),
        "images": {"source": material.source, "count": material.images, "median_bytes": material.median_bytes},
        "noise": noise(measured),
        "ratios": [_ratio(one) for one in ratios(measured)],
        "threads": threads_by_level(measured.threads),
        "memory": _memory(measured),
        "skipped": dict(measured.skipped),
        "times_s": {"warm": dict(measured.warm.by_subject), "cold": dict(measured.cold.by_subject)},
        "cpu_s": {"cold": dict(measured.cold.cpu_by_subject)},
    }


def _ratio(one: Ratio) -> dict[str, Any]:
    value = one.estimate.value
    met = one.target.met(value) if one.target and value is not None else None
    target = asdict(one.target) if one.target else None
    sides = {"name": one.name, "upper": one.upper, "lower": one.lower}
    return {**sides, **estimate(one.estimate), "target": target, "met": met}


def estimate(one: Estimate) -> dict[str, Any]:
    """Value and interval, or the reason why there is none."""
    return {"value": one.value, "lo": one.lo, "hi": one.hi, "n": one.n, "reason": one.reason}


def _memory(measured: BenchMeasurements) -> dict[str, Any]:
    peak = {"warm": measured.warm.peak_mb, "cold": measured.cold.peak_mb}
    added = {
        str(row["runtime"]): (row["resident_kb"][-1] - row["resident_kb"][1]) / 1024 / (len(row["resident_kb"]) - 2)
        for row in measured.memory
    }
    return {"peak_mb": peak, "added_interpreter_mb": added}


def heading(found: Mapping[str, Any]) -> str:
    """Command, date, machine and images in a line."""
    box, images = found["machine"], found["images"]
    return (
        f"`{found['command']}`, {found['date']}: {box['processors']} processors ({box['processor']}), "
        f"{box['system']}, Python {box['python']}; "
        f"{images['count']} images ({images['source']}, median {images['median_bytes']} bytes)."
    )


def table(measured: BenchMeasurements, *, found: dict[str, Any]) -> str:
    """The table that is printed, as Markdown."""
    lines = ["| figure | ratio | 95 % interval | to reach | |", "|---|---|---|---|---|"]
    for one in ratios(measured):
        value = one.estimate
        shown = (
            f"{value.value:.3f} | {value.lo:.3f} to {value.hi:.3f}"
            if value.value is not None
            else f"- | {value.reason}"
        )
        verdict = (
            "" if one.target is None or value.value is None else "met" if one.target.met(value.value) else "missed"
        )
        lines.append(f"| {one.name} | {shown} | {one.target or ''} | {verdict} |")
    lines += ["", "| subject | median ms | 95 % interval | peak MB |", "|---|---|---|---|"]
    for kind, times in (("warm", measured.warm), ("cold", measured.cold)):
        for name, values in times.by_subject.items():
            one_ms = median_ms(values)
            interval = f"{one_ms.lo:.2f} to {one_ms.hi:.2f}" if one_ms.value is not None else str(one_ms.reason)
            middle = f"{one_ms.value:.2f}" if one_ms.value is not None else "-"
            lines.append(f"| {kind}: {name} | {middle} | {interval} | {times.peak_mb[name]:.0f} |")
    lines += [
        "",
        "| threads | requests/s | one interpreter behind a lock | ratio | over one thread | wait / fair share |",
    ]
    lines.append("|---|---|---|---|---|---|")
    for row in found["threads"]:
        lines.append(
            f"| {row['threads']} | {row['pool_per_s']:.0f} | {row['lock_per_s']:.0f} | {row['pool_over_lock']:.2f} "
            f"| {row['pool_over_one_thread']:.2f} | {row['worst_wait_over_share']:.2f} |"
        )
    added = ", ".join(f"{name} {mb:.1f} MB" for name, mb in found["memory"]["added_interpreter_mb"].items())
    lines += ["", f"Each further interpreter of a pool: {added}."]
    lines += [f"Not measured: {name} ({reason})." for name, reason in measured.skipped.items()]
    if found["noise"]["noisy"]:
        worst = max(found["noise"]["spread"].values())
        lines.append(
            f"**The machine was too noisy** (a fixed piece of work varied by {worst:.0%} between its tenths, load "
            f"{found['noise']['load_before']} before the run): run it again on a quiet machine."
        )
    return "\n".join(lines)
