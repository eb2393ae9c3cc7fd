"""The arithmetic of the benchmark, and its document against the published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench import results
from bench.inputs import BenchInputs
from bench.measure import SubjectTimes
from bench.ratios import RatioTarget, median_ms, paired
from bench.results import BenchMeasurements
from loadtests.record.machine import spread
from tests.paths import ROOT

MATERIAL = BenchInputs(Path("work"), 3, "photographs of nothing", 1000, Path("bundle"), Path("bare"))


def measured(**skipped: str) -> BenchMeasurements:
    rounds = [0.001 * number for number in range(100, 120)]
    names = {"floor": 1.0, "plain": 1.2, "plain without pyc": 2.4, "direct": 0.6, "course": 1.8}
    cold = SubjectTimes({name: [factor * value for value in rounds] for name, factor in names.items()})
    cold.cpu_by_subject.update({name: values[::-1] for name, values in cold.by_subject.items()})
    warm_names = {"floor": 1.0, "ours aws": 1.04, "ours gcp": 1.1, "floor litert": 2.0, "ours aws litert": 2.0}
    warm = SubjectTimes(
        {name: [factor * value for value in rounds] for name, factor in (warm_names | {"course": 2.08}).items()}
    )
    for times in (warm, cold):
        times.spins_s.extend([0.01] * 20)
        times.peak_mb.update(dict.fromkeys(times.by_subject, 50.0))
    row: dict[str, Any] = {"round": 0, "mean_ms": 5.0, "worst_wait_over_share": 0.5}
    threads = [
        row | {"level": level, "subject": name, "per_s": speed * (2.0 if level > 1 and name == "pool" else 1.0)}
        for level in (1, 2)
        for name, speed in (("pool", 100.0), ("lock", 90.0))
    ]
    memory = [{"runtime": "litert", "resident_kb": [1000, 9000, 11048, 13096]}]
    return BenchMeasurements(warm, cold, threads, memory, 0.1, skipped)


def named(found: BenchMeasurements) -> dict[str, Any]:
    return {one.name: one for one in results.ratios(found)}


def test_a_ratio_is_taken_round_by_round() -> None:
    """A round that was three times as slow for both sides changes nothing."""
    times = {"up": [2.0, 6.0, 2.0, 2.0, 6.0, 2.0, 2.0], "low": [1.0, 3.0, 1.0, 1.0, 3.0, 1.0, 1.0]}
    found = paired(times, "up", "low")
    assert (found.value, found.lo, found.hi, found.n) == (2.0, 2.0, 2.0, 7)


def test_too_few_rounds_give_no_interval_and_say_so() -> None:
    found = median_ms([0.1] * 5)
    assert found.value is None
    assert found.reason == "not estimable (n=5, needs 6)"


@pytest.mark.parametrize(
    ("name", "value", "met"),
    [
        ("warm_over_floor aws", 1.04, True),
        ("warm_over_floor gcp", 1.1, False),
        ("warm_over_floor aws litert", 1.0, True),
        ("course_over_ours_warm", 2.0, True),
        ("cold_over_floor", 1.2, False),
        ("cold_over_floor_direct", 0.6, True),
        ("course_over_ours_cold", 3.0, True),
        ("nopyc_over_ours_cold", 2.0, None),
        ("cold_cpu_over_floor direct", 0.6, None),
    ],
)
def test_each_ratio_has_its_sides_and_its_target(name: str, value: float, met: bool | None) -> None:
    one = named(measured())[name]
    assert one.estimate.value == pytest.approx(value)
    assert (one.target.met(one.estimate.value) if one.target else None) == met


def test_what_was_not_run_has_no_ratio() -> None:
    assert "tensorflow_over_ours_cold" not in named(measured())


def test_a_target_lies_on_one_side() -> None:
    assert RatioTarget(1.1, at_most=True).met(1.1)
    assert not RatioTarget(1.1, at_most=True).met(1.11)
    assert RatioTarget(1.5, at_most=False).met(1.6)
    assert str(RatioTarget(0.65, at_most=True)) == "<= 0.65"


def test_threads_are_compared_with_the_lock_and_with_one_thread() -> None:
    one, two = results.threads_by_level(measured().threads)
    assert (one["pool_over_lock"], one["pool_over_one_thread"]) == (pytest.approx(100 / 90), 1.0)
    assert (two["pool_over_lock"], two["pool_over_one_thread"]) == (pytest.approx(200 / 90), 2.0)


def test_spread_is_from_the_first_tenth_to_the_last() -> None:
    assert spread([1.0] * 20) == 0.0
    assert spread([float(number) for number in range(1, 12)]) == pytest.approx((10 - 2) / 6)


EVEN, UNEVEN = [0.01] * 20, [0.01, 0.02] * 10


@pytest.mark.parametrize(
    ("load", "spins_s", "noisy"), [(0.1, EVEN, False), (900.0, EVEN, True), (0.1, UNEVEN, True), (None, EVEN, False)]
)
def test_a_busy_machine_is_called_noisy(load: float | None, spins_s: list[float], noisy: bool) -> None:
    found = measured()
    found.warm.spins_s[:] = spins_s
    changed = BenchMeasurements(found.warm, found.cold, found.threads, found.memory, load, {})
    assert results.noise(changed)["noisy"] is noisy


def test_the_document_keeps_to_its_schema_and_every_raw_time() -> None:
    checker = pytest.importorskip("jsonschema_rs", reason="schemathesis is not installed")
    schema = json.loads((ROOT / "docs" / "bench-results.schema.json").read_text(encoding="utf-8"))
    found = results.document(measured(tensorflow="not here"), MATERIAL, command="python -m bench", date="2026-11-21")
    problems = [str(error) for error in checker.validator_for(schema).iter_errors(json.loads(json.dumps(found)))]
    assert not problems
    assert found["times_s"]["cold"]["direct"] == measured().cold.by_subject["direct"]
    assert found["memory"]["added_interpreter_mb"] == {"litert": 2.0}


def test_the_table_names_every_ratio_and_what_is_missing() -> None:
    given = measured(tensorflow="not here")
    found = results.document(given, MATERIAL, command="python -m bench", date="2026-11-21")
    text = results.table(given, found=found)
    for name in named(given):
        assert f"| {name} |" in text
    assert "| cold_over_floor | 1.200 | 1.200 to 1.200 | <= 1.10 | missed |" in text
    assert "Not measured: tensorflow (not here)." in text
    assert "too noisy" not in text
