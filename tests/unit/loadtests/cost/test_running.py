"""The cost so far against the cost of the whole run."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from adapters import contract
from loadtests.cost.measured import cost_of
from loadtests.cost.plans import load_plans
from loadtests.cost.running import BLOCK, RunningCost
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum

PLANS = [(cloud, plan.name) for cloud in contract.clouds() for plan in load_plans(cloud)]


def target(cloud: str, plan: str, *, concurrency: int = 1) -> Target:
    memory_mb = 1024 if (cloud, plan) == ("azure", "consumption") else 2048  # it is not sold larger
    return Target(cloud, cloud, plan, "local", memory_mb, "http://127.0.0.1:1/", concurrency=concurrency)


def samples(count: int, *, name: str, stratum: Stratum = "steady", seed: int = 1) -> list[Sample]:
    """`count` answers of five instances, 20 a second, some of them cold."""
    random = Random(seed)

    def sample(index: int) -> Sample:
        sent_s, worked_ms, cold = index / 20, random.uniform(20, 200), index % 40 == 0
        done_s = sent_s + worked_ms / 1000 + 0.01
        return Sample(
            index,
            name,
            "w",
            stratum,
            sent_s,
            sent_s,
            done_s,
            "ok",
            state="cold" if cold else "warm",
            instance=f"instance {index % 5}",
            init_ms=350.5 if cold else None,
            total_ms=round(worked_ms, 3),
            response_bytes=300,
        )

    return [sample(index) for index in range(count)]


def fed(where: Target, given: list[Sample], *, batch: int = 33) -> RunningCost:
    running = RunningCost(where, bundled_book())
    for start in range(0, len(given), batch):
        running.take(given[start : start + batch])
    return running


@pytest.mark.parametrize(("cloud", "plan"), PLANS)
@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_block_of_requests_costs_so_far_what_it_costs_in_the_end(cloud: str, plan: str, concurrency: int) -> None:
    where, given = target(cloud, plan, concurrency=concurrency), samples(BLOCK - 1, name=cloud)
    found, exact = fed(where, given).usd_per_million(), cost_of(where, given, bundled_book()).usd_per_million
    assert found.n == exact.n == BLOCK - 1
    assert found.value == pytest.approx(exact.value, rel=1e-9)
    assert found.value is not None
    assert found.value > 0


@pytest.mark.parametrize(("cloud", "plan"), PLANS)
def test_many_blocks_cost_nearly_what_they_cost_together(cloud: str, plan: str) -> None:
    where, given = target(cloud, plan, concurrency=8), samples(3 * BLOCK + 7, name=cloud)
    exact = cost_of(where, given, bundled_book()).usd_per_million.value
    assert fed(where, given).usd_per_million().value == pytest.approx(exact, rel=0.01)


def test_every_request_that_was_sent_counts_and_none_that_was_dropped() -> None:
    where, given = target("aws", "on-demand"), samples(100, name="aws")
    dropped = [Sample(1000 + n, "aws", "w", "steady", 1.0, None, None, "dropped") for n in range(50)]
    warm_up = samples(20, name="aws", stratum="warm-up")
    running = fed(where, given + dropped + warm_up)
    assert running.sent() == 120
    assert running.sent(dropped + given) == 220
    assert running.usd_per_million().value == cost_of(where, given, bundled_book()).usd_per_million.value


def test_requests_whose_state_is_still_open_count_without_being_taken() -> None:
    where, given = target("aws", "on-demand"), samples(300, name="aws")
    running = fed(where, given[:200])
    exact = cost_of(where, given, bundled_book()).usd_per_million.value
    assert running.usd_per_million(given[200:]).value == pytest.approx(exact, rel=1e-9)
    assert running.usd_per_million().n == 200


def test_cold_starts_that_were_provoked_stand_in_only_until_there_is_steady_load() -> None:
    where, forced = target("aws", "on-demand"), samples(10, name="aws", stratum="forced", seed=2)
    running = fed(where, forced)
    assert running.usd_per_million().value == cost_of(where, forced, bundled_book()).usd_per_million.value
    steady = samples(50, name="aws")
    running.take(steady)
    assert running.usd_per_million().value == cost_of(where, steady, bundled_book()).usd_per_million.value


def test_a_target_without_a_price_has_no_cost_and_says_why() -> None:
    running = fed(target("aws", "barter"), samples(BLOCK + 1, name="aws"))
    assert running.usd_per_million().value is None
    assert "no plan 'barter'" in str(running.usd_per_million().reason)


def test_nothing_sent_is_no_cost() -> None:
    reason = RunningCost(target("aws", "on-demand"), bundled_book()).usd_per_million().reason
    assert reason == "no request of this target was sent after the warm-up"
