"""Percentiles of a stream against those of all values at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.stats.histogram import ERROR, HIGHEST_MS, LOWEST_MS, Histogram
from loadtests.stats.percentiles import percentiles, ranks

QS = [0.5, 0.95, 0.99]
LATENCIES = st.floats(LOWEST_MS, HIGHEST_MS, allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(st.lists(LATENCIES, max_size=400), st.integers(0, 30))
def test_it_says_what_all_values_at_once_say_within_its_error(values: list[float], unanswered: int) -> None:
    histogram = Histogram()
    for start in range(0, len(values), 7):
        histogram.add(values[start : start + 7])
    exact = percentiles(np.array(values, dtype=np.float64), QS, unanswered=unanswered)
    for q, found in zip(QS, histogram.percentiles(QS, unanswered=unanswered), strict=True):
        assert (found.n, found.reason) == (exact[q].n, exact[q].reason)
        for name in ("value", "lo", "hi") if found.value is not None else ():
            assert getattr(found, name) == pytest.approx(getattr(exact[q], name), rel=1.01 * ERROR)


def test_its_size_does_not_grow_with_what_it_counts() -> None:
    histogram = Histogram()
    before = histogram._counts.nbytes
    histogram.add(np.random.default_rng(1).lognormal(3, 1, 1_000_000).tolist())
    assert histogram._counts.nbytes == before < 100_000
    assert histogram.n == 1_000_000


def test_looking_often_remembers_nothing() -> None:
    histogram, before = Histogram(), ranks.cache_info().currsize
    for _ in range(20):
        histogram.add([10.0] * 400)
        histogram.percentiles(QS)
    assert ranks.cache_info().currsize == before


def test_values_beyond_its_ends_count_in_the_last_bucket() -> None:
    histogram = Histogram()
    histogram.add([0.0] * 10 + [1e9] * 10)
    (median,) = histogram.percentiles([0.5])
    assert median.lo == pytest.approx(LOWEST_MS, rel=0.01)
    assert median.hi == pytest.approx(HIGHEST_MS, rel=0.01)
