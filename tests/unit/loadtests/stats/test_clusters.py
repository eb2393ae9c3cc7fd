from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from loadtests.record.columns import Columns, columns_of
from loadtests.record.sample import Sample
from loadtests.stats.clusters import (
    clustered_quantiles,
    ratio_interval,
    resampled_quantiles,
    share_between,
)
from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import percentile, percentiles

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
    return clustered_quantiles(columns.latency_ms, columns.instance, {0.95: independent})[0.95]


def independent(columns: Columns) -> Estimate:
    return percentile(columns.latency_ms, 0.95)


def test_instances_that_differ_widen_the_interval_and_leave_the_value() -> None:
    columns = warm(1, instances=9, between_ms=2.0)
    plain, found = independent(columns), warm_p95(columns, independent(columns))
    assert found.value == plain.value
    assert None not in (plain.lo, plain.hi, found.lo, found.hi)
    assert (found.hi or 0) - (found.lo or 0) > 1.1 * ((plain.hi or 0) - (plain.lo or 0))


def test_the_interval_is_never_narrower_than_that_of_independent_requests() -> None:
    for seed in range(20):
        columns = warm(seed, instances=9, between_ms=0.0)
        plain, found = independent(columns), warm_p95(columns, independent(columns))
        assert (found.lo or 0) <= (plain.lo or 0)
        assert (found.hi or 0) >= (plain.hi or 0)


@pytest.mark.parametrize(("between", "noise"), [(0.0, 0.1), (0.03, 0.1), (0.05, 0.1)])
def test_the_intervals_of_ten_instances_cover_the_true_percentiles_in_92_percent_of_300_runs_or_more(
    between: float, noise: float
) -> None:
    """Instances differ by a lognormal law; those of independent requests cover as little as 55 %."""
    truth = {q: float(np.exp(stats.norm.ppf(q) * np.hypot(between, noise))) for q in (0.5, 0.95, 0.99)}
    covered, plain_covered = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
    draw = np.random.default_rng(int(100 * between))
    instance = np.repeat(np.arange(10), 40)
    for _ in range(300):
        values = np.exp(draw.normal(0, between, 10)[instance] + draw.normal(0, noise, 400))
        plain = percentiles(values, list(truth))
        found = clustered_quantiles(values, instance, plain)
        for q, true in truth.items():
            covered[q] += (found[q].lo or 0) <= true <= (found[q].hi or 0)
            plain_covered[q] += (plain[q].lo or 0) <= true <= (plain[q].hi or 0)
    assert min(covered.values()) >= 0.92 * 300, covered
    if between:
        assert plain_covered[0.5] < 0.8 * 300, "else the clusters would not be needed"


def test_where_instances_differ_more_than_requests_a_high_percentile_takes_as_many_instances() -> None:
    columns = warm(1, instances=9, between_ms=10)
    assert share_between(columns.latency_ms, columns.instance) > 0.8
    plain = percentiles(columns.latency_ms, [0.5, 0.95])
    found = clustered_quantiles(columns.latency_ms, columns.instance, plain)
    assert found[0.5].value == plain[0.5].value
    reason = "not estimable (its 9 instances differ more than requests do, needs 72 instances)"
    assert found[0.95].reason == reason


def test_the_share_between_instances_is_that_of_the_law_they_are_drawn_from() -> None:
    draw = np.random.default_rng(5)
    instance = np.repeat(np.arange(200), 30)
    values = np.exp(draw.normal(0, 0.3, 200)[instance] + draw.normal(0, 0.4, instance.size))
    assert share_between(values, instance) == pytest.approx(0.36, abs=0.04)
    assert share_between(np.exp(draw.normal(0, 1, instance.size)), instance) < 0.02


@pytest.mark.parametrize("count", [6, 10, 40])
def test_the_interval_of_a_ratio_covers_it_in_93_to_97_percent_of_2000_runs(count: int) -> None:
    draw = np.random.default_rng(count)
    covered = 0
    for _ in range(2000):
        sizes = draw.integers(30, 50, count).astype(np.float64)
        lo, hi = ratio_interval(sizes * draw.normal(20, 2, count), sizes)
        covered += lo <= 20 <= hi
    assert 0.93 <= covered / 2000 <= 0.97


@pytest.mark.parametrize("instances", [1, 5])
def test_too_few_instances_leave_the_interval_as_it_is(instances: int) -> None:
    columns = warm(3, instances=instances, between_ms=10)
    assert warm_p95(columns, independent(columns)) == independent(columns)


def test_a_p95_that_cannot_be_estimated_stays_so() -> None:
    columns = warm(3, instances=9, between_ms=10)
    missing = Estimate(n=5, reason="not estimable")
    assert warm_p95(columns, missing) == missing


def test_draws_are_quantiles_of_whole_instances() -> None:
    values = np.repeat(np.arange(1.0, 9.0), 10)
    drawn = resampled_quantiles(values, np.repeat(np.arange(8), 10), [0.95])[:, 0]
    assert set(drawn) <= set(range(1, 9))
    assert float(np.mean(drawn == 8.0)) == pytest.approx(1 - (7 / 8) ** 8, abs=0.05), "in every draw that has it"
