from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from loadtests.stats.percentiles import needed, percentile, percentiles, ranks


@pytest.mark.parametrize(("q", "n"), [(0.5, 6), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_a_percentile_is_estimable_from_the_published_sample_size_on(q: float, n: int) -> None:
    assert needed(q) == n
    assert ranks(n - 1, q) is None
    assert ranks(n, q) is not None


def test_too_few_samples_give_a_reason_instead_of_a_figure() -> None:
    estimate = percentile(np.arange(71.0), 0.95)
    assert estimate.value is None
    assert estimate.reason == "not estimable (n=71, needs 72)"
    assert estimate.document() is None


def test_no_samples_at_all_give_the_same_reason() -> None:
    assert percentile(np.empty(0), 0.5).reason == "not estimable (n=0, needs 6)"


def test_the_interval_of_a_median_of_ten_is_the_tabled_one() -> None:
    """Second and ninth of ten cover the median with 97.85 %: the table in any text on order statistics."""
    estimate = percentile(np.arange(1.0, 11.0)[::-1], 0.5)
    assert (estimate.value, estimate.lo, estimate.hi, estimate.n) == (5.5, 2.0, 9.0, 10)


@pytest.mark.parametrize("q", [0.5, 0.9, 0.95, 0.99])
def test_every_interval_covers_at_least_95_percent_and_not_much_more(q: float) -> None:
    for n in range(needed(q), 3000, 53):
        pair = ranks(n, q)
        assert pair is not None
        low, high = pair
        assert 1 <= low < high <= n
        below = stats.binom(n, q)
        assert 0.95 <= below.cdf(high - 1) - below.cdf(low - 1) < 0.98


def test_the_value_is_numpys_default_percentile() -> None:
    values = np.random.default_rng(3).lognormal(size=501)
    found = percentiles(values, [0.5, 0.95, 0.99])
    for q, estimate in found.items():
        assert estimate.value == pytest.approx(np.percentile(values, 100 * q))


def test_no_outlier_is_removed() -> None:
    values = np.append(np.full(400, 10.0), np.full(30, 1e6))
    assert percentile(values, 0.95).value == 1e6


def test_requests_that_were_never_answered_take_the_highest_ranks() -> None:
    answered = np.arange(900.0)
    estimate = percentile(answered, 0.5, unanswered=100)
    assert estimate.n == 1000
    assert estimate.value == pytest.approx(np.percentile(np.append(answered, np.full(100, 1e9)), 50))


def test_a_percentile_among_the_unanswered_is_not_estimable_and_says_so() -> None:
    estimate = percentile(np.arange(900.0), 0.95, unanswered=100)
    assert estimate.reason == "not estimable (n=1000, no upper end: 100 never answered)"


def test_a_million_samples_are_no_trouble() -> None:
    values = np.random.default_rng(4).exponential(size=1_000_000)
    estimate = percentile(values, 0.999)
    assert estimate.lo is not None
    assert estimate.hi is not None
    assert estimate.lo < -math.log(0.001) < estimate.hi
