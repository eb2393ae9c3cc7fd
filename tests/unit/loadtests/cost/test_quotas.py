"""Default quotas that a month's load exceeds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from loadtests.cost.plans import load_plan
from loadtests.cost.question import CostQuestion, monthly_volume
from loadtests.cost.quotas import quota_notes

HOUR = Decimal(730 * 3600)


def notes(cloud: str, plan: str, rate: str, duration_ms: str, concurrency: int = 1) -> list[str]:
    asked = CostQuestion(Decimal(duration_ms), Decimal(1024), monthly_volume(f"{rate}/s"), concurrency=concurrency)
    return list(quota_notes(asked, load_plan(cloud, plan)))


def test_a_small_load_needs_nothing() -> None:
    assert notes("aws", "on-demand", "50", "60") == []


def test_a_new_account_of_lambda_holds_ten_instances_and_a_hundred_requests_a_second() -> None:
    (said,) = notes("aws", "on-demand", "101", "1")  # a tenth of an instance busy, but 101 requests a second
    assert said.startswith("it takes about 11 instances at once; a new account may have 10 only")
    assert notes("aws", "on-demand", "100", "1") == []


def test_fast_functions_meet_the_request_rate_before_the_instances() -> None:
    """8 ms at 12,000/s are 96 busy instances, but 1,200 of the quota."""
    (said,) = notes("aws", "on-demand", "12000", "8")
    assert said.startswith("it takes about 1,200 instances at once; 1,000 are the default")
    assert "10 a second" in said


def test_slow_functions_need_the_mean_and_three_deviations() -> None:
    (said,) = notes("aws", "on-demand", "1000", "1000")
    assert said.startswith("it takes about 1,095 instances")


@pytest.mark.parametrize(("concurrency", "said"), [(1, True), (80, False)])
def test_requests_that_share_an_instance_need_fewer(concurrency: int, said: bool) -> None:
    assert bool(notes("gcp", "cloud-run-request", "400", "1000", concurrency)) == said


def test_flex_starts_with_a_hundred_instances() -> None:
    (said,) = notes("azure", "flex-consumption", "200", "1000")
    assert "100 are the default" in said
