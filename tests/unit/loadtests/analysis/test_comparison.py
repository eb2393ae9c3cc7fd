from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from loadtests.analysis.comparison import (
    TargetComparison,
    alike_within_instances,
    cheapest,
    compare_targets,
    corrected,
    few_instances,
)
from loadtests.record.columns import Columns, columns_of
from loadtests.record.sample import Outcome, Sample
from loadtests.stats.estimate import Estimate
from loadtests.stats.shift import Shift

SHIFT = Shift(400, 400, 12.1, 10.4, 13.9, 0.0002, 20, None)


def steady(values: Sequence[float], *, instances: int = 1, outcome: Outcome = "ok") -> Columns:
    rows = [
        Sample(
            i,
            "t",
            "w",
            "steady",
            float(i),
            float(i),
            i + ms / 1000,
            outcome,
            state="warm",
            instance=f"i{i % instances}",
        )
        for i, ms in enumerate(values)
    ]
    return columns_of(rows)


def draw(seed: int, *, around_ms: float, n: int = 400) -> list[float]:
    return [float(each) for each in np.random.default_rng(seed).lognormal(np.log(around_ms), 0.15, n)]


def test_a_clear_difference_is_said_with_its_size_interval_and_p() -> None:
    said = TargetComparison("warm", "aws", "azure", SHIFT, 0.0006).sentence()
    assert said == "aws is faster than azure warm: 12.1 ms [10.4, 13.9], p < 0.001"


def test_the_faster_one_is_named_first_whatever_the_order_of_targets() -> None:
    turned = Shift(400, 400, -12.1, -13.9, -10.4, 0.004, 20, None)
    said = TargetComparison("warm", "aws", "azure", turned, 0.012).sentence()
    assert said == "azure is faster than aws warm: 12.1 ms [10.4, 13.9], p = 0.012"


def test_no_clear_difference_is_said_to_be_not_separable_with_n() -> None:
    said = TargetComparison("warm", "aws", "gcp", Shift(400, 398, 0.1, -0.4, 0.9, 0.4, 20, None), 0.4).sentence()
    assert said.startswith(
        "aws against gcp warm: not separable with n = 398 and 400 (difference between -0.400 and 0.9"
    )


def test_pairs_of_one_run_are_compared_and_corrected_together() -> None:
    columns = {
        "aws": steady(draw(1, around_ms=30)),
        "gcp": steady(draw(2, around_ms=30)),
        "azure": steady(draw(3, around_ms=40)),
    }
    found = compare_targets(columns, kind="warm", stratum="steady")
    assert [(each.first, each.second, each.separable) for each in found] == [
        ("aws", "gcp", False),
        ("aws", "azure", True),
        ("gcp", "azure", True),
    ]
    assert all(each.p is not None and each.shift is not None and each.p >= each.shift.p for each in found)


def test_correction_keeps_what_could_not_be_compared_in_its_place() -> None:
    kept = TargetComparison("warm", "a", "c", reason="too few samples")
    first, second = (TargetComparison("warm", "a", name, SHIFT, p) for name, p in (("b", 0.02), ("d", 0.03)))
    fixed = corrected([first, kept, second])
    assert [each.p for each in fixed] == [0.04, None, 0.04]


def test_a_target_that_fails_too_often_is_not_compared_on_the_answers_that_remain() -> None:
    broken = [*draw(4, around_ms=5)]
    columns = {"aws": steady(draw(1, around_ms=30)), "gcp": steady(broken, outcome="failed")}
    (found,) = compare_targets(columns, kind="warm", stratum="steady")
    assert not found.separable
    assert found.sentence() == (
        "aws against gcp warm: not compared: 100.0% of gcp's requests failed or had no answer, more than 1%"
    )


def test_targets_measured_one_after_the_other_are_not_compared() -> None:
    first = columns_of([Sample(i, "a", "w", "steady", i, i, i + 0.1, "ok", state="warm") for i in range(200)])
    later = columns_of([Sample(i, "b", "w", "steady", i, i, i + 0.2, "ok", state="warm") for i in range(500, 700)])
    (found,) = compare_targets({"a": first, "b": later}, kind="warm", stratum="steady")
    assert "interleave" in str(found.reason)


@pytest.mark.parametrize(("instances", "told"), [(1, True), (5, True), (6, False)])
def test_few_instances_are_told(instances: int, told: bool) -> None:
    said = few_instances({"aws": steady(draw(1, around_ms=30), instances=instances)})
    assert (said is not None) == told


def test_instances_that_differ_make_percentile_intervals_too_narrow_and_a_caveat_says_by_how_much() -> None:
    random = np.random.default_rng(30)
    own = random.normal(0, 3, 10)
    alike, unlike = (
        steady([20 + far * own[i % 10] + random.random() for i in range(400)], instances=10) for far in (0, 1)
    )
    assert alike_within_instances({"aws": alike}) is None
    said = alike_within_instances({"aws": unlike, "gcp": alike})
    assert said is not None
    assert "(aws " in said
    assert "gcp" not in said
    assert 4 < float(said.partition("(aws ")[2].split(" ")[0]) < 8, "40 requests an instance: at most the root of 40"


def test_costs_are_separable_only_when_their_intervals_are_apart() -> None:
    aws, gcp = Estimate(n=9, value=2.0, lo=1.9, hi=2.1), Estimate(n=9, value=3.0, lo=2.9, hi=3.1)
    near, bare = Estimate(n=9, value=2.1, lo=2.0, hi=2.2), Estimate(n=9, value=2.5)
    missing = Estimate(n=0, reason="no price")
    assert [*cheapest({"gcp": gcp, "aws": aws, "x": missing})] == [
        "aws costs least: aws 2.00 [1.90, 2.10], gcp 3.00 [2.90, 3.10] USD per million requests"
    ]
    assert next(cheapest({"gcp": near, "aws": aws})).startswith("lowest cost: not separable")
    assert next(cheapest({"gcp": bare, "aws": aws})).endswith("how sure is not known without intervals")
    assert [*cheapest({"aws": aws, "x": missing})] == []
