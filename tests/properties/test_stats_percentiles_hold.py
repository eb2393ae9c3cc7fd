from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from loadtests.stats.percentiles import needed, percentile

if TYPE_CHECKING:
    from numpy.typing import NDArray

LATENCIES = arrays(np.float64, st.integers(0, 400), elements=st.floats(0.01, 1e5))
QUANTILES = st.sampled_from([0.5, 0.9, 0.95, 0.99])


@given(LATENCIES, QUANTILES)
def test_a_percentile_lies_inside_its_interval_and_the_interval_inside_the_samples(
    values: NDArray[np.float64], q: float
) -> None:
    estimate = percentile(values, q)
    if values.size < needed(q):
        assert estimate.value is None
        return
    assert estimate.value is not None
    assert estimate.lo is not None
    assert estimate.hi is not None
    assert np.min(values) <= estimate.lo <= estimate.value <= estimate.hi <= np.max(values)


@given(LATENCIES, QUANTILES, st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_order_does_not_matter_and_units_scale(
    values: NDArray[np.float64], q: float, factor: float, seed: int
) -> None:
    estimate = percentile(values, q)
    shuffled = percentile(np.random.default_rng(seed).permutation(values) * factor, q)
    if estimate.value is None:
        assert shuffled.value is None
        return
    assert shuffled.value == pytest.approx(estimate.value * factor)


@given(LATENCIES, QUANTILES, st.integers(0, 50))
def test_not_answering_never_makes_a_target_look_faster(
    values: NDArray[np.float64], q: float, unanswered: int
) -> None:
    full, lossy = percentile(values, q), percentile(values, q, unanswered=unanswered)
    if full.value is not None and lossy.value is not None:
        assert lossy.value >= full.value


@pytest.mark.parametrize("name", ["expon", "lognorm", "pareto"])
@pytest.mark.parametrize(("q", "n"), [(0.5, 40), (0.5, 400), (0.95, 90), (0.95, 400), (0.99, 500)])
def test_intervals_cover_the_true_percentile_93_to_97_percent_of_the_time(name: str, q: float, n: int) -> None:
    """4,000 runs on a known distribution; the standard error of the share is 0.35 points."""
    known = {"expon": stats.expon(), "lognorm": stats.lognorm(1.0), "pareto": stats.pareto(1.5)}[name]
    runs = known.rvs((4000, n), random_state=np.random.default_rng([n, round(q * 1000), len(name)]))
    estimates = [percentile(run, q) for run in runs]
    covered = [e.lo is not None and e.hi is not None and e.lo <= known.ppf(q) <= e.hi for e in estimates]
    assert 0.93 <= np.mean(np.array(covered)) <= 0.97
