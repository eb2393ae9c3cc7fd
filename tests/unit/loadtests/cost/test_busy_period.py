"""Busy periods against random arrivals that are billed one by one."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from loadtests.cost.busy_period import BusyPeriod
from loadtests.cost.duration import DurationRule
from loadtests.cost.plans import load_plan
from loadtests.cost.question import CostQuestion
from loadtests.cost.sharing import Stream, shared_instance_s
from loadtests.prices.book import bundled_book


def billed_s(rule: DurationRule, rate: float, duration_s: float, requests: int = 40_000) -> float:
    """What one instance is billed for random arrivals, period by period, in s."""
    begins = np.cumsum(np.random.default_rng(5).exponential(1 / rate, requests)) * 1000
    busy = [(Decimal(repr(float(at))), Decimal(repr(float(at + duration_s * 1000)))) for at in begins]
    return float(rule.shared_ms(busy)) / 1000


@pytest.mark.parametrize(("step_ms", "minimum_ms"), [("100", "0"), ("1", "0"), ("100", "1000")])
@pytest.mark.parametrize(("rate", "duration_s"), [(10.0, 0.03), (2.0, 0.25), (40.0, 0.06), (0.3, 0.4), (60.0, 0.1)])
def test_a_stream_costs_what_its_requests_cost_one_by_one(
    step_ms: str, minimum_ms: str, rate: float, duration_s: float
) -> None:
    rule = DurationRule(Decimal(step_ms), Decimal(minimum_ms), "activity", sharing="instance")
    requests = 40_000
    stream = Stream(Decimal(requests), Decimal(repr(duration_s * 1000)), Decimal(repr(rate)), 1000)
    assert stream.instances == 1
    found = float(shared_instance_s(rule, stream))
    assert found == pytest.approx(billed_s(rule, rate, duration_s, requests), rel=0.02)


def test_cloud_run_with_concurrency_costs_what_its_busy_periods_cost() -> None:
    """30 ms at 10/s on one instance of 2 GiB: 67.3 USD; rounding each period up was left out before (49.5)."""
    question = CostQuestion(Decimal(30), Decimal(2048), Decimal(26_280_000), concurrency=80, response_kb=Decimal(0))
    plan = load_plan("gcp", "cloud-run-request")
    from loadtests.cost.bill import BillTerms, bill_plan

    found = bill_plan(plan, question.usage(plan), terms=BillTerms(free=False), prices=bundled_book().of("gcp"))
    assert float(found.usd) == pytest.approx(67.33, rel=0.02)


def test_long_periods_end_anywhere_within_a_step() -> None:
    period = BusyPeriod(100.0, 0.05)
    assert period.rounded_mean_s(0.1) == pytest.approx(period.mean_s + 0.05, rel=0.02)
    assert BusyPeriod(1000.0, 1.0).rounded_mean_s(0.1) > 1e100
