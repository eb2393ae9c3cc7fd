"""Commitments, managed instances, containers and machines: each bill by hand."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from loadtests.cost.bill import BillTerms, bill_plan
from loadtests.cost.comparison import PlanChoice, candidates, compare
from loadtests.cost.plans import load_plan
from loadtests.cost.question import CostQuestion
from loadtests.prices.book import bundled_book

MONTH_S = D(730) * 3600


def bill_of(cloud: str, plan: str, *, duration_ms: D, requests: D, architecture: str = "x86_64") -> D:
    asked = CostQuestion(duration_ms, D(2048), requests, response_kb=D(0))
    found = load_plan(cloud, plan)
    terms = BillTerms(architecture=architecture, free=False)
    return bill_plan(found, asked.usage(found), terms=terms, prices=bundled_book().of(cloud)).usd


def test_a_savings_plan_takes_17_percent_off_time_and_nothing_off_requests() -> None:
    asked = (D(100), D(10_000_000))
    time = D("0.0000166667") * 2 * 1_000_000
    assert bill_of("aws", "on-demand", duration_ms=asked[0], requests=asked[1]) == time + 2
    assert bill_of("aws", "savings-plan", duration_ms=asked[0], requests=asked[1]) == time * D("0.83") + 2


def test_committed_use_takes_17_percent_off_cloud_run() -> None:
    asked = (D(100), D(10_000_000))
    compute = 1_000_000 * (D("0.000024") + 2 * D("0.0000025"))
    assert bill_of("gcp", "committed-use", duration_ms=asked[0], requests=asked[1]) == compute * D("0.83") + 4


@pytest.mark.parametrize(("rate", "machines"), [(1, 3), (36, 3), (37, 4), (100, 9)])
def test_managed_instances_start_with_three_and_hold_two_requests_each(rate: int, machines: int) -> None:
    """A request of 100 ms: a machine of two vCPU is at 60 % with 12 a second."""
    usd = bill_of("aws", "managed-instances", duration_ms=D(100), requests=rate * MONTH_S)
    assert usd == machines * 730 * D("0.11592") + rate * MONTH_S * D("0.0000002")


def test_a_container_on_fargate_is_paid_by_the_hour_with_its_load_balancer() -> None:
    usd = bill_of("aws", "fargate", architecture="arm64", duration_ms=D(60), requests=D(1_000_000))
    assert usd == 730 * (D("0.03238") + 2 * D("0.00356") + D("0.0225"))


def test_a_container_app_is_cheaper_while_it_is_idle() -> None:
    """One replica: 2 % busy, the rest idle; the free requests are used up here."""
    usd = bill_of("azure", "container-apps", duration_ms=D(20), requests=MONTH_S)
    busy_s, all_s = usd_parts()
    assert usd == pytest.approx(
        busy_s * D("0.000024")
        + (all_s - busy_s) * D("0.000003")
        + all_s * 2 * D("0.000003")
        + MONTH_S * D("0.0000004"),
        rel=D("0.01"),
    )


def usd_parts() -> tuple[D, D]:
    return MONTH_S * D("0.02"), MONTH_S


def test_a_machine_holds_two_requests_at_once() -> None:
    one, two = (bill_of("aws", "virtual-machine", duration_ms=D(100), requests=rate * MONTH_S) for rate in (12, 13))
    assert (one, two) == (730 * D("0.085"), 2 * 730 * D("0.085"))


def test_other_kinds_are_compared_when_asked_for_and_then_say_from_where_they_are_cheaper() -> None:
    usual = {way.plan.name for way in candidates(PlanChoice(), bundled_book())}
    assert "managed-instances" in usual
    assert not usual & {"fargate", "virtual-machine", "savings-plan", "committed-use", "container-apps"}
    every = candidates(PlanChoice(kinds=("serverless", "container")), bundled_book())
    names = {way.plan.name for way in every}
    assert {"fargate", "virtual-machine", "container-apps"} <= names
    large = compare(CostQuestion(D(60), D(1024), D(3_000_000_000)), every)
    assert large.offers[0].candidate.plan.kind == "container"
    small = compare(CostQuestion(D(60), D(1024), D(100_000)), every)
    assert small.offers[0].candidate.plan.kind == "serverless"
