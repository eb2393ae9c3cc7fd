from __future__ import annotations

import numpy as np
import pytest

from loadtests.stats.estimate import Estimate
from loadtests.stats.percentiles import needed, percentile
from loadtests.stats.stopping import StoppingRule, decide, next_look, relative_width

NARROW = Estimate(n=900, value=100.0, lo=96.0, hi=105.0)
WIDE = Estimate(n=90, value=100.0, lo=90.0, hi=120.0)
MISSING = Estimate(n=20, reason="not estimable (n=20, needs 72)")


def test_a_run_stops_when_every_figure_is_known_well_enough() -> None:
    decision = decide(StoppingRule(0.05), {"aws p95": NARROW, "gcp p95": NARROW}, requests=1800)
    assert (decision.stop, decision.precise) == (True, True)
    assert decision.reason == "every one of 2 figures is known within 5.00 %"


@pytest.mark.parametrize("open_one", [WIDE, MISSING])
def test_one_vague_or_missing_figure_keeps_it_going(open_one: Estimate) -> None:
    decision = decide(StoppingRule(0.05), {"aws p95": NARROW, "gcp p95": open_one}, requests=1000)
    assert not decision.stop
    assert decision.reason == "gcp p95 not yet known within 5.00 %"


def test_the_limit_of_requests_ends_it_and_says_what_is_not_known() -> None:
    many = decide(StoppingRule(requests_max=1000), {"aws p95": WIDE}, requests=1000)
    assert many.reason == "1,000 requests were sent, the limit; aws p95 not yet known within 5.00 %"
    assert (many.stop, many.precise) == (True, False)


def test_nothing_to_estimate_is_not_a_reason_to_stop() -> None:
    assert not decide(StoppingRule(), {}, requests=5).stop


@pytest.mark.parametrize("wrong", [{"precision": 0.0}, {"precision": 5.0}, {"requests_max": 0}])
def test_a_rule_that_makes_no_sense_names_the_value(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        StoppingRule(**wrong)  # type: ignore[arg-type]


def test_a_figure_without_an_interval_has_no_width() -> None:
    assert relative_width(MISSING) is None
    assert relative_width(NARROW) == pytest.approx(0.045)


def test_intervals_still_cover_at_the_sample_size_where_the_rule_stopped() -> None:
    """Looking again and again must not cost more than two points of the 95 %; 1,500 runs, standard error 0.6."""
    random = np.random.default_rng(20)
    truth = float(np.exp(0.15 * 1.6448536269514722))
    covered, stopped_at = [], []
    for _ in range(1500):
        values = random.lognormal(0, 0.15, 6000)
        n = needed(0.95)
        while True:
            estimate = percentile(values[:n], 0.95)
            if decide(StoppingRule(0.05), {"p95": estimate}, requests=n).stop or n >= values.size:
                break
            n = next_look(n)
        assert estimate.lo is not None
        assert estimate.hi is not None
        covered.append(estimate.lo <= truth <= estimate.hi)
        stopped_at.append(n)
    assert np.mean(np.array(covered)) >= 0.93
    assert 72 < np.median(stopped_at) < 2000, "the rule stops because it knows, neither at once nor at the end"
