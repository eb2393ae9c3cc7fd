"""What must hold of every plan of every cloud, whatever its rules and prices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import contract
from loadtests.cost import Calls, Plan, Usage, load_plans
from loadtests.cost.bill import BillTerms, bill_plan
from loadtests.cost.duration import DurationRule
from loadtests.prices.book import bundled_book

if TYPE_CHECKING:
    from loadtests.prices.rate import Rate

BOOK = bundled_book()
PLANS = [plan for cloud in contract.clouds() for plan in load_plans(cloud)]
RATES = [
    pytest.param(rate, id=f"{prices.cloud} {region} {key}")
    for prices in BOOK.clouds.values()
    for region, entry in prices.regions.items()
    for key, rate in entry.rates.items()
]
SLACK = Decimal("1e-15")  # relative; Decimal division rounds at 28 digits

whole = st.integers
durations = st.decimals(min_value="0.1", max_value=30_000, places=2)
volumes = whole(0, 10**11).map(Decimal)
sizes = whole(128, 1536).map(Decimal)


@st.composite
def calls(draw: st.DrawFn) -> Calls:
    return Calls(
        requests=draw(volumes),
        duration_ms=draw(durations),
        memory_mb=draw(sizes),
        init_ms=draw(durations),
        cold_share=draw(st.decimals(min_value=0, max_value=1, places=3)),
        rate_per_s=draw(st.sampled_from([None, Decimal(1)])),
    )


def cost(plan: Plan, work: Calls, *, concurrency: int = 1, free: bool = True) -> Decimal:
    """A month's cost; a steady rate follows from the volume."""
    steady = None if work.rate_per_s is None else work.requests / 2_628_000
    usage = Usage((replace(work, rate_per_s=steady),), concurrency=concurrency)
    return bill_plan(plan, usage, terms=BillTerms(free=free), prices=BOOK.of(plan.cloud)).usd


def at_most(lower: Decimal, upper: Decimal) -> bool:
    return lower <= upper * (1 + SLACK)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.cloud} {plan.name}")
@settings(max_examples=25, deadline=None)
@given(work=calls(), more=st.decimals(min_value=0, max_value=10_000, places=2), concurrency=whole(1, 100))
def test_cost_never_falls_when_duration_memory_or_volume_rises(
    plan: Plan, work: Calls, more: Decimal, concurrency: int
) -> None:
    before = cost(plan, work, concurrency=concurrency)
    longer = replace(work, duration_ms=work.duration_ms + more)
    larger = replace(work, memory_mb=min(work.memory_mb + int(more), Decimal(1536)))
    oftener = replace(work, requests=work.requests + int(more) * 1000)
    # Requests that overlap in an instance share what a period is rounded up by: longer ones may cost less.
    shares = plan.duration.sharing == "instance" and concurrency > 1 and work.rate_per_s is not None
    for grown in (larger, oftener) if shares else (longer, larger, oftener):
        assert at_most(before, cost(plan, grown, concurrency=concurrency))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.cloud} {plan.name}")
@settings(max_examples=15, deadline=None)
@given(work=calls(), concurrency=whole(1, 100))
def test_a_free_grant_never_raises_the_cost(plan: Plan, work: Calls, concurrency: int) -> None:
    with_grant = cost(plan, work, concurrency=concurrency, free=True)
    assert with_grant >= 0
    assert at_most(with_grant, cost(plan, work, concurrency=concurrency, free=False))


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.cloud} {plan.name}")
@settings(max_examples=15, deadline=None)
@given(work=calls(), concurrency=whole(1, 100))
def test_sharing_an_instance_never_costs_more_than_being_alone_in_it(
    plan: Plan, work: Calls, concurrency: int
) -> None:
    alone = cost(plan, replace(work, rate_per_s=None), concurrency=concurrency)
    assert at_most(cost(plan, replace(work, rate_per_s=Decimal(1)), concurrency=concurrency), alone)


@settings(max_examples=50, deadline=None)
@given(gaps=st.lists(durations, max_size=30), lengths=st.lists(durations, max_size=30))
def test_the_union_is_requests_times_duration_at_concurrency_one(gaps: list[Decimal], lengths: list[Decimal]) -> None:
    """Where a step lies between two requests: nearer ones share the step that both are rounded up to."""
    rule = DurationRule(step_ms=Decimal(100), sharing="instance")
    now, busy = Decimal(0), []
    for gap, length in zip(gaps, lengths, strict=False):
        begin = now + rule.step_ms + gap
        busy.append((begin, begin + length))
        now = begin + length
    assert rule.shared_ms(busy) == sum((rule.billed_ms(end - start) for start, end in busy), Decimal(0))


@settings(max_examples=50, deadline=None)
@given(busy=st.lists(st.tuples(durations, durations).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=30))
def test_the_union_is_at_least_the_longest_request_and_at_most_all_of_them(
    busy: list[tuple[Decimal, Decimal]],
) -> None:
    for rule in (
        DurationRule(step_ms=Decimal(100), sharing="instance"),
        DurationRule(step_ms=Decimal(100), minimum_ms=Decimal(1000), minimum_per="activity", sharing="instance"),
    ):
        each = [rule.billed_ms(end - start) for start, end in busy]
        assert max(each, default=Decimal(0)) <= rule.shared_ms(busy) <= sum(each)


@settings(max_examples=50, deadline=None)
@given(volume=whole(1, 10**11), duration=durations)
def test_a_steady_stream_at_concurrency_one_is_requests_times_duration(volume: int, duration: Decimal) -> None:
    plan = next(plan for plan in PLANS if plan.name == "cloud-run-request")
    work = Calls(Decimal(volume), duration, Decimal(2048), rate_per_s=Decimal(1))
    assert cost(plan, work) == cost(plan, replace(work, rate_per_s=None))


@pytest.mark.parametrize("rate", RATES)
def test_tiers_are_continuous_and_add_up(rate: Rate) -> None:
    for tier in rate.tiers:
        step = Decimal("0.001")
        if tier.start:
            jump = rate.usd(tier.start + step) - rate.usd(tier.start - step)
            assert jump <= 2 * step * max(each.usd for each in rate.tiers)
        units = tier.start + 12_345
        assert sum(share for share, _ in rate.shares(units)) == units
