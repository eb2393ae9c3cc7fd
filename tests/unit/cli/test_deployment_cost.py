"""What a deployment costs without a request, and at the most, by hand-made sums over the price list."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from adapters.deployment.function_spec import FunctionSpec
from cli.measurement.deployment_cost import highest_usd, hours_of, idle_usd_per_day, standing_usd
from loadtests.cost import load_plans
from loadtests.cost.budget import Budget
from loadtests.cost.tariff import request_price
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.sample import State

HELD = FunctionSpec("gcp", plan="cloud-run-instance", reserved_instances=2, maximum_instances=5)
TARGET = Target("g", "gcp", "cloud-run-instance", "us-central1", 2048, "https://g")
SECOND_USD = Decimal("0.000018") + 2 * Decimal("0.000002")  # 1 vCPU and 2 GiB, billed by the instance
DAY_S, LEFT_S = 86_400, 941 + 240  # an idle life and a start


def test_an_idle_day_is_that_of_the_instances_kept_ready() -> None:
    assert idle_usd_per_day(HELD) == 2 * DAY_S * SECOND_USD
    by_request = FunctionSpec("gcp", reserved_instances=2)
    assert idle_usd_per_day(by_request) == 2 * DAY_S * 3 * Decimal("0.0000025"), "idle at its own, lower price"
    assert idle_usd_per_day(FunctionSpec("gcp")) == 0


def test_below_a_vcpu_google_bills_by_request_only_so_that_a_small_instance_has_a_whole_one() -> None:
    small = FunctionSpec("gcp", plan="cloud-run-instance", memory_mb=512, reserved_instances=1)
    assert idle_usd_per_day(small) == DAY_S * (Decimal("0.000018") + Decimal("0.000002") / 2)


def test_what_bills_the_life_of_instances_may_cost_that_of_all_there_may_be() -> None:
    left_usd = 2 * LEFT_S * SECOND_USD
    assert standing_usd(HELD, Decimal(4)) == 5 * 4 * 3600 * SECOND_USD + left_usd
    assert standing_usd(HELD, Decimal(4), renewals=10) == 5 * 4 * 3600 * SECOND_USD + 11 * left_usd
    ready = FunctionSpec("azure", plan="flex-always-ready", reserved_instances=1, maximum_instances=40)
    assert standing_usd(ready, Decimal(24), renewals=10) == idle_usd_per_day(ready)
    assert standing_usd(FunctionSpec("aws"), Decimal(4)) == 0


def test_each_version_that_a_forced_cold_start_publishes_has_a_snapshot_of_three_hours() -> None:
    """By hand: 1,769 MB of the list price 0.0000015046 USD per GB-second, for three hours at least."""
    snapstart = FunctionSpec("aws", plan="snapstart", memory_mb=1769)
    one_usd = Decimal(1769) / 1024 * 3 * 3600 * Decimal("0.0000015046")
    assert one_usd.quantize(Decimal("0.0001")) == Decimal("0.0281")
    assert standing_usd(snapstart, Decimal(1), renewals=10) - standing_usd(snapstart, Decimal(1)) == 10 * one_usd
    assert standing_usd(snapstart, Decimal(1)) == 2 * one_usd, "the one kept, and one that `apply` changes"
    assert idle_usd_per_day(snapstart) == 8 * one_usd
    assert highest_usd(snapstart, 0, Decimal(1)) == standing_usd(snapstart, Decimal(1))


def test_the_most_that_a_run_can_cost_has_both_the_requests_and_what_stands() -> None:
    assert highest_usd(HELD, 1000, Decimal(4)) == standing_usd(HELD, Decimal(4)), "no price for a request"
    by_request = FunctionSpec("gcp", reserved_instances=1)
    alone = highest_usd(FunctionSpec("gcp"), 10, Decimal(4))
    assert highest_usd(by_request, 10, Decimal(4)) - alone == 4 * 3600 * 3 * Decimal("0.0000025")
    assert hours_of(timedelta(minutes=90)) == Decimal("1.5")


def test_only_plans_without_a_price_for_time_in_requests_bill_the_life_of_instances() -> None:
    plans = [plan for cloud in ("aws", "azure", "gcp") for plan in load_plans(cloud)]
    assert [f"{plan.cloud} {plan.name}" for plan in plans if plan.bills_instance_lifetime] == [
        "aws managed-instances",
        "aws fargate",
        "aws virtual-machine",
        "azure premium",
        "azure virtual-machine",
        "gcp cloud-run-instance",
        "gcp virtual-machine",
    ]


def test_a_request_to_such_an_instance_costs_nothing_but_one_that_is_started_leaves_one_behind() -> None:
    tariff = request_price(TARGET, bundled_book())
    log_usd = tariff.request_usd
    assert log_usd < Decimal("0.000001")
    assert tariff.usd(Decimal(10_000)) == log_usd
    assert tariff.usd(Decimal(10_000), starts=1) == log_usd + LEFT_S * SECOND_USD


@dataclass
class Service:
    """A made-up Cloud Run service with billing by the instance: `lives_s` holds the start and end of each one."""

    draw: random.Random
    reserved: int
    maximum: int
    lives_s: list[tuple[float, float]] = field(default_factory=list)
    idle: list[tuple[float, float, bool]] = field(default_factory=list)  # started, free from, asked before

    def begin(self, now_s: float) -> None:
        self.idle = [(now_s, now_s + self.draw.uniform(0, 240), False) for _ in range(self.reserved)]

    def retire(self, now_s: float) -> None:
        """A new revision: the old instances live on for a while without a request."""
        self.end(now_s)
        self.begin(now_s)

    def end(self, now_s: float, *, at_once: bool = False) -> None:
        for started_s, free_s, _ in self.idle:
            lingers_s = 0.0 if at_once else self.draw.uniform(0, 900)
            self.lives_s.append((started_s, max(now_s, free_s) + lingers_s))

    def serve(self, now_s: float, worked_s: float) -> tuple[float, State]:
        """When a request is answered, and what its instance was to it."""
        free = [each for each in self.idle if each[1] <= now_s]
        state: State = "warm"
        if free:
            chosen = self.draw.choice(free)
            state = "warm" if chosen[2] else "pre-initialised"
        elif len(self.idle) < self.maximum:
            ready_s = now_s + self.draw.uniform(0, 240)
            chosen, state = (now_s, ready_s, False), "cold"
            self.idle.append(chosen)
        else:
            chosen = min(self.idle, key=lambda each: each[1])
            state = "warm" if chosen[2] else "cold"
        done_s = max(now_s, chosen[1]) + worked_s
        self.idle[self.idle.index(chosen)] = (chosen[0], done_s, True)
        return done_s, state


@pytest.mark.parametrize("seed", range(50))
def test_the_life_of_instances_never_passes_what_stands_and_what_the_requests_count(seed: int) -> None:
    """Random load and forced cold starts on a service that keeps every instance for as long as it may."""
    draw = random.Random(seed)
    reserved, maximum = draw.randint(1, 3), draw.randint(3, 8)
    service = Service(draw, reserved, maximum)
    budget = Budget(Decimal(10**6), {"g": request_price(TARGET, bundled_book())})
    now_s, renewals = 0.0, 0
    service.begin(now_s)
    for index in range(300):
        now_s += draw.expovariate(1 / draw.choice([0.2, 20.0]))
        forced = draw.random() < 0.05
        if forced:
            renewals += 1
            service.retire(now_s)
        assert budget.reserve(index, "g")
        done_s, state = service.serve(now_s, draw.uniform(0.01, 5.0))
        stratum: Stratum = "forced" if forced else "steady"
        budget.settle(answered(index, now_s, done_s, state, stratum))
    end_s = max([now_s, *(free_s for _, free_s, _ in service.idle)])
    service.end(end_s, at_once=True)
    billed_s = Decimal(repr(sum(ended_s - started_s for started_s, ended_s in service.lives_s)))
    variant = FunctionSpec("gcp", plan=TARGET.plan, reserved_instances=reserved, maximum_instances=maximum)
    stands_usd = standing_usd(variant, Decimal(repr(end_s)) / 3600, renewals=renewals)
    assert billed_s * SECOND_USD <= stands_usd + budget.spent_usd


def answered(index: int, sent_s: float, done_s: float, state: State, stratum: Stratum) -> Sample:
    return Sample(
        index=index,
        target="g",
        worker="w",
        stratum=stratum,
        intended_s=sent_s,
        sent_s=sent_s,
        done_s=done_s,
        outcome="ok",
        state=state,
        instance="i",
        total_ms=1.0,
    )
