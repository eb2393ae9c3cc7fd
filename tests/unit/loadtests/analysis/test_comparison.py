from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from loadtests.analysis.comparison import (
    TargetComparison,
    cheapest,
    compare_targets,
    corrected,
    few_instances,
)
from loadtests.record.columns import Columns, columns_of
from loadtests.record.sample import Outcome, Sample
from loadtests.stats.estimate import Estimate
from loadtests.stats.shift import Shift

SHIFT = Shift(400, 400, 12.1, 10.4, 13.9, 0.0002, 20, None, "10 instances")


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
    assert said == "aws is faster than azure warm: 12.1 ms [10.4, 13.9], p < 0.001, between 10 instances"


def test_the_faster_one_is_named_first_whatever_the_order_of_targets() -> None:
    turned = Shift(400, 400, -12.1, -13.9, -10.4, 0.004, 20, None, "10 and 12 instances")
    said = TargetComparison("warm", "aws", "azure", turned, 0.012).sentence()
    assert said == "azure is faster than aws warm: 12.1 ms [10.4, 13.9], p = 0.012, between 10 and 12 instances"


def test_no_clear_difference_is_said_to_be_not_separable_with_what_it_rests_on() -> None:
    said = TargetComparison("cold", "aws", "gcp", Shift(10, 9, 0.1, -0.4, 0.9, 0.4, 20, None), 0.4).sentence()
    assert said.startswith(
        "aws against gcp cold: not separable with 9 and 10 cold starts (difference between -0.400 and 0.9"
    )


def test_pairs_of_one_run_are_compared_and_corrected_together() -> None:
    columns = {
        "aws": steady(draw(1, around_ms=30), instances=8),
        "gcp": steady(draw(2, around_ms=30), instances=8),
        "azure": steady(draw(3, around_ms=40), instances=8),
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


def test_few_instances_show_nothing_however_far_apart_they_are() -> None:
    columns = {"aws": steady(draw(1, around_ms=30), instances=5), "gcp": steady(draw(2, around_ms=60), instances=8)}
    (found,) = compare_targets(columns, kind="warm", stratum="steady")
    assert not found.separable
    assert "5 and 8 instances cannot tell the targets from their instances, needs 6 of each" in found.sentence()
    assert "(between these: " in found.sentence()


def test_no_sentence_says_more_than_the_table_which_has_no_median_of_five() -> None:
    cold = [Sample(i, "t", "w", "forced", i, i, i + 0.1, "ok", state="cold", instance=f"i{i}") for i in range(5)]
    far = [Sample(i, "t", "w", "forced", i, i, i + 0.9, "ok", state="cold", instance=f"i{i}") for i in range(5)]
    (found,) = compare_targets({"a": columns_of(cold), "b": columns_of(far)}, kind="cold", stratum="forced")
    assert found.reason == "too few samples (n = 5 and 5, needs 6 of each)"


def said_of(costs: dict[str, Estimate], **readings: Estimate) -> list[str]:
    return [*cheapest(costs, readings=readings, volume="10,000,000 requests")]


def test_costs_are_separable_only_when_their_intervals_are_apart() -> None:
    aws, gcp = Estimate(n=9, value=2.0, lo=1.9, hi=2.1), Estimate(n=9, value=3.0, lo=2.9, hi=3.1)
    near, bare = Estimate(n=9, value=2.1, lo=2.0, hi=2.2), Estimate(n=9, value=2.5)
    missing = Estimate(n=0, reason="no price")
    assert said_of({"gcp": gcp, "aws": aws, "x": missing}) == [
        "aws costs least: aws 2.00 [1.90, 2.10], gcp 3.00 [2.90, 3.10] USD per million requests at 10,000,000 "
        "requests a month"
    ]
    assert said_of({"gcp": near, "aws": aws})[0].startswith("lowest cost: not separable")
    assert said_of({"gcp": bare, "aws": aws})[0].endswith("how sure is not known without intervals")
    assert said_of({"aws": aws, "x": missing}) == []


def test_a_cost_that_hangs_on_how_a_plan_is_read_is_not_separable_and_both_readings_are_said() -> None:
    aws, azure = Estimate(n=9, value=12.0, lo=11.9, hi=12.1), Estimate(n=9, value=11.0, lo=10.9, hi=11.1)
    other = Estimate(n=9, value=52.5, lo=52.5, hi=52.5)
    (said,) = said_of({"aws": aws, "azure": azure}, azure=other)
    assert said.startswith("lowest cost: not separable: azure 11.0")
    assert "azure 52.5 [52.5, 52.5] where its plan is read in the other way" in said
    (said,) = said_of({"aws": replace(aws, value=9.0, lo=9.0, hi=9.0), "azure": azure}, azure=other)
    assert said.startswith("aws costs least"), "under either reading"
