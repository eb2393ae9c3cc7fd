"""A budget is never passed, whatever the prices and the speeds."""

from __future__ import annotations

import heapq
import random
from decimal import Decimal

import pytest

from loadtests import budget as budgets
from loadtests.budget import Budget, Ceiling, request_usd
from loadtests.sample import Sample
from loadtests.targets import Target

AWS = Target("a", "aws", "on-demand", "us-east-1", 1024, "https://a")
GCP = Target("g", "gcp", "cloud-run-request", "us-central1", 2048, "https://g")
AZURE = Target("z", "azure", "flex-consumption", "eastus", 2048, "https://z")
LIMITS = {"timeout_ms": 60_000.0, "init_timeout_ms": 10_000.0}


def sample(target: Target, *, total_ms: float | None, init_ms: float | None = None, sent: bool = True) -> Sample:
    known = total_ms is not None
    return Sample(
        index=0,
        target=target.name,
        worker="w",
        stratum="steady",
        intended_s=0.0,
        sent_s=0.0 if sent else None,
        done_s=total_ms / 1000 if total_ms is not None else None,
        outcome="ok" if known else "timeout" if sent else "dropped",
        state=("cold" if init_ms else "warm") if known else None,
        instance="i" if known else None,
        total_ms=total_ms,
        init_ms=init_ms,
    )


def test_one_request_costs_what_the_price_list_says() -> None:
    """1 GB for 100 ms at 0.0000166667 USD per GB-s, and one request at 0.20 USD per million."""
    assert request_usd(AWS, 100, 0) == Decimal("0.00000166667") + Decimal("0.0000002")
    assert request_usd(AWS, 100, 400) == 5 * Decimal("0.00000166667") + Decimal("0.0000002")
    second = 2 * Decimal("0.000026") + Decimal("0.0000004")
    assert request_usd(AZURE, 100, 0) == second, "2 GB for a second at least, and one execution"


def test_what_is_not_known_of_a_request_is_taken_at_its_highest() -> None:
    ceiling = Ceiling(AWS, **LIMITS)
    assert ceiling.usd_of(sample(AWS, total_ms=None)) == ceiling.highest_usd()
    assert ceiling.usd_of(sample(AWS, total_ms=None, sent=False)) == 0
    assert ceiling.usd_of(sample(AWS, total_ms=50.0)) < ceiling.usd_of(sample(AWS, total_ms=50.0, init_ms=300.0))
    assert ceiling.usd_of(sample(AWS, total_ms=50.0, init_ms=300.0)) < ceiling.highest_usd()


def test_what_a_request_reserved_is_given_back_when_it_was_cheaper() -> None:
    ceiling = Ceiling(AWS, **LIMITS)
    one = Budget(ceiling.highest_usd(), {"a": ceiling})
    assert one.reserve("a")
    one.settle(sample(AWS, total_ms=20.0))
    assert one.reserved_usd == 0
    assert not one.reserve("a"), "a second one could pass the cap"
    assert one.exhausted
    assert 0 < one.spent_usd < one.cap_usd


def test_what_is_held_ready_counts_from_the_start() -> None:
    held = Budget(Decimal(1), {"a": Ceiling(AWS, **LIMITS)}, standing_usd=Decimal(1))
    assert not held.reserve("a")


@pytest.mark.parametrize("cap", ["0", "-1", "NaN", "Infinity"])
def test_a_budget_is_an_amount(cap: str) -> None:
    with pytest.raises(ValueError, match="expected an amount above 0"):
        Budget(Decimal(cap), {})


@pytest.mark.parametrize("seed", range(100))
def test_a_budget_is_never_passed(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Random prices and speeds, requests in flight together; the true bill is summed up beside."""
    draw = random.Random(seed)
    per_ms = {target.name: Decimal(draw.randint(1, 10**6)) / 10**12 for target in (AWS, GCP, AZURE)}

    def price(target: Target, duration_ms: float, init_ms: float) -> Decimal:
        return per_ms[target.name] * Decimal(duration_ms + init_ms) + Decimal("0.0000004")

    monkeypatch.setattr(budgets, "request_usd", price)
    ceilings = {target.name: Ceiling(target, **LIMITS) for target in (AWS, GCP, AZURE)}
    highest = max(ceiling.highest_usd() for ceiling in ceilings.values())
    capped = Budget(highest * draw.randint(1, 40), ceilings)
    truth, sent, in_flight = Decimal(0), 0, list[tuple[float, int, Sample]]()
    for index in range(3000):
        now = index * draw.uniform(0.0, 200.0)
        while in_flight and in_flight[0][0] <= now:
            capped.settle(heapq.heappop(in_flight)[2])
        target = draw.choice([AWS, GCP, AZURE])
        if not capped.reserve(target.name):
            break
        sent += 1
        slow = draw.random() < 0.1
        total_ms = LIMITS["timeout_ms"] if slow else draw.expovariate(1 / 500) % LIMITS["timeout_ms"]
        init_ms = draw.choice([None, draw.uniform(0, LIMITS["init_timeout_ms"])])
        truth += price(target, total_ms, init_ms or 0.0)
        made = sample(target, total_ms=None if slow else total_ms, init_ms=init_ms)
        heapq.heappush(in_flight, (now + total_ms, index, made))
        assert truth <= capped.cap_usd
        assert capped.spent_usd + capped.reserved_usd <= capped.cap_usd
    assert sent >= 1
    for _, _, made in in_flight:
        capped.settle(made)
    assert capped.reserved_usd == 0
    assert truth <= capped.spent_usd <= capped.cap_usd
