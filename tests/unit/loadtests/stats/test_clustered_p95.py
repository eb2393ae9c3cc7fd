from __future__ import annotations

import numpy as np
import pytest

from loadtests.record.columns import Columns, columns_of
from loadtests.record.sample import Sample
from loadtests.stats.clustered_p95 import clustered_p95, resampled_p95s
from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import percentile

PER_INSTANCE = 30


def warm(seed: int, *, instances: int, between_ms: float) -> Columns:
    """Warm requests of `instances` instances whose means differ by a normal law of `between_ms`."""
    draw = np.random.default_rng(seed)
    offsets = draw.normal(0, between_ms, instances)
    latencies_ms = 50 + np.repeat(offsets, PER_INSTANCE) + draw.normal(0, 2, instances * PER_INSTANCE)
    return columns_of([
        Sample(place, "a", "w", "steady", float(place), float(place), place + ms / 1000, "ok",
               state="warm", instance=f"i{place // PER_INSTANCE}")
        for place, ms in enumerate(latencies_ms)
    ])  # fmt: skip


def warm_p95(columns: Columns, independent: Estimate) -> Estimate:
    return clustered_p95(columns.latency_ms, columns.instance, independent)


def independent(columns: Columns) -> Estimate:
    return percentile(columns.latency_ms, 0.95)


def test_instances_that_differ_widen_the_interval_and_leave_the_value() -> None:
    columns = warm(1, instances=9, between_ms=10)
    plain, found = independent(columns), warm_p95(columns, independent(columns))
    assert found.value == plain.value
    assert None not in (plain.lo, plain.hi, found.lo, found.hi)
    assert (found.hi or 0) - (found.lo or 0) > 1.5 * ((plain.hi or 0) - (plain.lo or 0))


def test_the_interval_is_never_narrower_than_that_of_independent_requests() -> None:
    for seed in range(20):
        columns = warm(seed, instances=9, between_ms=0.0)
        plain, found = independent(columns), warm_p95(columns, independent(columns))
        assert (found.lo or 0) <= (plain.lo or 0)
        assert (found.hi or 0) >= (plain.hi or 0)


@pytest.mark.parametrize(("between_ms", "least"), [(0.0, 0.92), (2.0, 0.82), (8.0, 0.70)])
def test_the_interval_covers_the_true_p95_far_more_often_where_instances_differ(
    between_ms: float, least: float
) -> None:
    """Simulated 200 times. Nine instances seldom hold the slowest of all: it stays below 95 % where they differ."""
    truth = 50 + 1.6448536 * np.hypot(between_ms, 2)
    covered = {"plain": 0, "found": 0}
    for seed in range(200):
        columns = warm(seed, instances=9, between_ms=between_ms)
        plain = independent(columns)
        for name, each in (("plain", plain), ("found", warm_p95(columns, plain))):
            covered[name] += (each.lo or 0) <= truth <= (each.hi or 0)
    assert covered["found"] >= least * 200
    assert covered["found"] >= covered["plain"] + (0 if not between_ms else 40)


@pytest.mark.parametrize("instances", [1, 5])
def test_too_few_instances_leave_the_interval_as_it_is(instances: int) -> None:
    columns = warm(3, instances=instances, between_ms=10)
    assert warm_p95(columns, independent(columns)) == independent(columns)


def test_a_p95_that_cannot_be_estimated_stays_so() -> None:
    columns = warm(3, instances=9, between_ms=10)
    missing = Estimate(n=5, reason="not estimable")
    assert warm_p95(columns, missing) == missing


def test_draws_are_p95s_of_whole_instances() -> None:
    values = np.repeat(np.arange(8.0), 10)
    drawn = resampled_p95s(values, np.repeat(np.arange(8), 10))
    assert set(drawn) <= set(range(8))
    assert drawn.max() == 7.0
    assert float(np.mean(drawn == 7.0)) == pytest.approx(1 - (7 / 8) ** 8, abs=0.05), "in every draw that has it"
