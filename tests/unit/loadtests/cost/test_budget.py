"""A budget is never passed, whatever the prices and the speeds."""

from __future__ import annotations

import heapq
import json
import random
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import pytest

from adapters.emulator.idle_life import IdleLife
from adapters.emulator.scaling import Action, Assign, Rules, Scaling, Start
from loadtests.cost.budget import Budget, BudgetError, RequestPrice, share_of
from loadtests.cost.tariff import request_price, request_prices
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loadtests.plan.phases import Stratum
    from loadtests.record.sample import State

AWS = Target("a", "aws", "on-demand", "us-east-1", 1024, "https://a")
GCP = Target("g", "gcp", "cloud-run-request", "us-central1", 2048, "https://g")
AZURE = Target("z", "azure", "flex-consumption", "eastus", 2048, "https://z")
TARGETS = (AWS, GCP, AZURE)
LOG_USD = Decimal("0.53") / 1024**2  # 1 KB of log lines, at 0.50 a GB to take in and 0.03 a GB to keep
Kind = Literal["answered", "lost", "unsent"]


def tariffs() -> dict[str, RequestPrice]:
    return request_prices(TARGETS, bundled_book())


def sample(
    target: Target,
    *,
    waited_ms: float = 0.0,
    index: int = 0,
    state: State | None = "warm",
    kind: Kind = "answered",
    total_ms: float | None = None,
    stratum: Stratum = "steady",
) -> Sample:
    return Sample(
        index=index,
        target=target.name,
        worker="w",
        stratum=stratum,
        intended_s=0.0,
        sent_s=None if kind == "unsent" else 0.0,
        done_s=waited_ms / 1000 if kind == "answered" else None,
        outcome={"answered": "ok", "lost": "timeout", "unsent": "dropped"}[kind],  # type: ignore[arg-type]
        state=state if kind == "answered" else None,
        instance="i" if kind == "answered" else None,
        total_ms=waited_ms if total_ms is None else total_ms,
    )


def spent(target: Target, *samples: Sample) -> Decimal:
    budget = Budget(Decimal(1000), {target.name: request_price(target, bundled_book())})
    for each in samples:
        budget.settle(each)
    return budget.spent_usd


def test_one_request_costs_what_the_price_list_says() -> None:
    """AWS: 1 GB at 0.0000166667 USD per GB-s, one request at 0.20 USD per million, rounded up to 1 ms."""
    aws = request_price(AWS, bundled_book())
    assert aws.usd(Decimal(100)) == Decimal("0.00000166667") + Decimal("0.0000002") + LOG_USD
    assert aws.usd(Decimal("99.2")) == aws.usd(Decimal(100))
    azure = request_price(AZURE, bundled_book())
    second = 2 * Decimal("0.000026") + Decimal("0.0000004") + Decimal("2.30") / 1024**2
    assert azure.usd(Decimal(100)) == second, "2 GB for a second at least, one execution, and 1 KB of log"


def test_answers_and_what_stands_in_front_are_in_the_price() -> None:
    aws = request_price(AWS, bundled_book())
    gigabyte_usd = aws.usd(Decimal(0), answer_bytes=Decimal(1024**3)) - aws.usd(Decimal(0))
    assert gigabyte_usd == pytest.approx(Decimal("0.09"))
    behind = Target("b", "aws", "on-demand", "us-east-1", 1024, "https://x.execute-api.us-east-1.amazonaws.com")
    dearer_usd = request_price(behind, bundled_book()).request_usd - aws.request_usd
    assert dearer_usd == Decimal("3.50") / 1_000_000, "the dearest gateway: the address does not tell which it is"


def test_a_target_that_says_what_stands_in_front_pays_for_that_by_its_own_rule() -> None:
    """HTTP API: 1.00 USD a million, counted in parts of 512 KB; REST API: 3.50; a Function URL is free."""
    aws, photo_bytes = request_price(AWS, bundled_book()), 700 * 1024

    def more_usd(gateway: str, request_bytes: int = 0) -> Decimal:
        target = replace(AWS, url="https://x.execute-api.us-east-1.amazonaws.com", gateway=gateway)
        return (
            request_price(target, bundled_book(), request_bytes=request_bytes).request_usd - aws.request_usd
        ) * 10**6

    assert [more_usd(name) for name in ("function-url", "http-api", "rest-api")] == [0, 1, Decimal("3.5")]
    assert [more_usd(name, photo_bytes) for name in ("http-api", "rest-api")] == [2, Decimal("3.5")]
    with pytest.raises(
        BudgetError, match=r"gateway 'door' is none of aws/on-demand: expected function-url, http-api"
    ):
        request_prices([replace(AWS, gateway="door")], bundled_book())


def test_a_restored_snapshot_is_paid_for_with_each_cold_start() -> None:
    snapstart = Target("s", "aws", "snapstart", "us-east-1", 1024, "https://s")
    more_usd = spent(snapstart, sample(snapstart, waited_ms=10, state="cold"))
    assert more_usd - spent(snapstart, sample(snapstart, waited_ms=10)) == Decimal("0.0001397998")


def test_a_target_without_a_price_is_refused_with_the_next_step() -> None:
    unknown = Target("u", "aws", "on-demand", "mars-1", 1024, "https://u")
    with pytest.raises(BudgetError, match=r"needs a price for target 'u': .*mars-1.*tripoint prices"):
        request_prices([unknown], bundled_book())


def test_what_is_not_known_of_a_request_is_taken_at_its_highest() -> None:
    highest = request_price(AWS, bundled_book()).highest_usd
    assert spent(AWS, sample(AWS, kind="lost")) == highest
    assert spent(AWS, sample(AWS, kind="unsent")) == 0
    assert spent(AWS, sample(AWS, waited_ms=10_000_000)) == highest


def test_a_start_that_another_request_may_have_caused_is_counted_where_requests_do_not_wait_for_their_own() -> None:
    quick, queued = sample(GCP, waited_ms=52, total_ms=50), sample(GCP, waited_ms=120, total_ms=50)
    tariff = request_price(GCP, bundled_book())
    assert spent(GCP, quick, quick) == 2 * tariff.usd(Decimal(52))
    unseen = tariff.usd(Decimal(120) + tariff.init_timeout_ms)
    assert spent(GCP, quick, queued) - spent(GCP, quick) == unseen, "nobody tells how long it took"
    aws = request_price(AWS, bundled_book())
    assert spent(AWS, sample(AWS, waited_ms=52), sample(AWS, waited_ms=120, total_ms=50)) == aws.usd(
        Decimal(52)
    ) + aws.usd(Decimal(120))


def test_a_request_that_was_alone_found_an_instance_free_unless_other_workers_send_too() -> None:
    tariff = request_price(GCP, bundled_book())
    for workers, unseen_ms in ((1, Decimal(0)), (2, tariff.init_timeout_ms)):
        budget = Budget(Decimal(1000), {"g": tariff}, workers=workers)
        for index, waited_ms in enumerate((52.0, 120.0)):
            assert budget.reserve(index, "g")
            budget.settle(sample(GCP, index=index, waited_ms=waited_ms, total_ms=50))
        assert budget.spent_usd == tariff.usd(Decimal(52) + unseen_ms, starts=workers - 1) + tariff.usd(Decimal(120))


def test_a_start_that_no_answer_showed_and_no_wait_betrayed_is_counted() -> None:
    """Two at once; one instance is free again so soon that it answers both without a noticeable wait."""
    tariff = request_price(GCP, bundled_book())
    budget = Budget(Decimal(1000), {"g": tariff})
    for index in (0, 1):
        assert budget.reserve(index, "g")
    for index in (0, 1):
        budget.settle(sample(GCP, index=index, waited_ms=52.0, total_ms=50))
    assert budget.spent_usd == tariff.usd(Decimal(52)) + tariff.usd(Decimal(52) + tariff.init_timeout_ms, starts=1)
    again = budget.spent_usd
    for index in (2, 3):
        assert budget.reserve(index, "g")
    for index in (2, 3):
        budget.settle(sample(GCP, index=index, waited_ms=52.0, total_ms=50))
    assert budget.spent_usd == again + 2 * tariff.usd(Decimal(52)), "the second instance is there by now"


def test_what_a_request_reserved_is_given_back_when_it_was_cheaper() -> None:
    tariff = request_price(AWS, bundled_book())
    one = Budget(tariff.highest_usd, {"a": tariff})
    assert one.reserve(0, "a")
    one.settle(sample(AWS, waited_ms=20.0))
    assert one.reserved_usd == 0
    assert not one.reserve(1, "a"), "a second one could pass the cap"
    assert one.exhausted
    assert 0 < one.spent_usd < one.cap_usd


def test_shares_of_a_budget_are_no_more_than_the_whole_and_cross_to_workers_as_json() -> None:
    whole = Budget(Decimal(1), tariffs())
    whole.reserve(-1, "a")
    shares = [share_of(json.loads(json.dumps(each))) for each in whole.shares(3)]
    assert sum(share.cap_usd for share in shares) <= whole.left_usd
    assert shares[0].prices == whole.prices
    empty = Budget(Decimal(1), tariffs(), spent_usd=Decimal(2))
    assert not share_of(empty.shares(1)[0]).reserve(0, "a")


@pytest.mark.parametrize("cap", ["0", "-1", "NaN", "Infinity"])
def test_a_budget_is_an_amount(cap: str) -> None:
    with pytest.raises(BudgetError, match="expected an amount above 0"):
        Budget(Decimal(cap), {})


def drawn(draw: random.Random, *, bound: bool) -> RequestPrice:
    return RequestPrice(
        request_usd=Decimal(draw.randint(0, 10**4)) / 10**9,
        ms_usd=Decimal(draw.randint(1, 10**6)) / 10**12,
        start_usd=Decimal(draw.randint(0, 10**4)) / 10**9,
        byte_usd=Decimal(draw.randint(0, 10)) / 10**9,
        step_ms=Decimal(draw.choice([1, 100])),
        minimum_ms=Decimal(draw.choice([0, 1000])),
        timeout_ms=Decimal(60_000),
        init_timeout_ms=Decimal(10_000),
        answer_bytes=Decimal(10**6),
        waits_for_own_instance=bound,
    )


@pytest.mark.parametrize("seed", range(100))
def test_a_budget_is_never_passed(seed: int) -> None:
    """Random prices and speeds, requests in flight together; the true bill is summed up beside."""
    draw = random.Random(seed)
    prices = {target.name: drawn(draw, bound=draw.random() < 0.5) for target in TARGETS}
    capped = Budget(max(each.highest_usd for each in prices.values()) * draw.randint(1, 40), prices)
    truth, sent, in_flight = Decimal(0), 0, list[tuple[float, int, Sample]]()
    for index in range(3000):
        now = index * draw.uniform(0.0, 200.0)
        while in_flight and in_flight[0][0] <= now:
            capped.settle(heapq.heappop(in_flight)[2])
        target = draw.choice(TARGETS)
        if not capped.reserve(index, target.name):
            break
        sent += 1
        lost, cold = draw.random() < 0.1, draw.random() < 0.3
        start_ms = draw.uniform(0, 10_000) if cold else 0.0
        worked_ms = 60_000.0 if lost else min(draw.expovariate(1 / 500), 60_000.0)
        billed_ms = Decimal(repr(start_ms + worked_ms))
        truth += prices[target.name].usd(billed_ms, starts=int(cold))
        waited_ms = start_ms + worked_ms + draw.uniform(0, 30)
        state: State = "cold" if cold else "warm"
        kind: Kind = "lost" if lost else "answered"
        made = sample(target, waited_ms=waited_ms, index=index, state=state, kind=kind, total_ms=worked_ms)
        heapq.heappush(in_flight, (now + waited_ms, index, made))
        assert truth <= capped.cap_usd
        assert capped.spent_usd + capped.reserved_usd <= capped.cap_usd
    assert sent >= 1
    for _, _, made in in_flight:
        capped.settle(made)
    assert capped.reserved_usd == 0
    assert truth <= capped.spent_usd <= capped.cap_usd


@pytest.mark.parametrize("seed", range(60))
def test_what_a_run_cost_is_never_below_the_bill_by_the_scaling_rule(seed: int) -> None:
    """Requests through the rule that the local clouds are scaled by; every start is on the bill, seen or not."""
    draw = random.Random(seed)
    concurrency = draw.choice([1, 1, 4])
    use = draw.choice([0.6, 1.0])
    life_s = draw.choice([5.0, 60.0, 900.0])
    rules = Rules(
        concurrency=concurrency, target_use=use, idle_life=IdleLife.fixed(life_s), queue_length=1000, queue_wait_s=1e9
    )
    places = max(concurrency * Decimal(str(use)), Decimal(1)) if concurrency > 1 else Decimal(1)
    tariff = replace(
        drawn(draw, bound=False), places=places, idle_s=Decimal(str(life_s)), byte_usd=Decimal(0),
        minimum_ms=Decimal(0),
    )  # fmt: skip
    world = World(Scaling(rules), tariff, draw)
    budget = Budget(Decimal(10**9), {"g": tariff})
    at_s = 0.0
    for index in range(400):
        at_s += draw.expovariate(1 / draw.choice([0.001, 0.05, 0.3, 3.0]))
        for made in world.until(at_s):
            budget.settle(made)
        assert budget.reserve(index, "g")
        world.arrive(index, at_s)
    for made in world.until(float("inf")):
        budget.settle(made)
    assert world.bill_usd <= budget.spent_usd
    assert budget.reserved_usd == 0


class World:
    """A platform by the scaling rule, in virtual time: answers as samples, and the bill with all its starts."""

    def __init__(self, rule: Scaling, tariff: RequestPrice, draw: random.Random) -> None:
        self._rule, self._tariff, self._draw = rule, tariff, draw
        self._events: list[tuple[float, int, str, int]] = []
        self._arrived: dict[int, float] = {}
        self._ready: dict[int, float] = {}
        self._served: dict[int, int] = {}
        self._work: dict[int, tuple[int, float, int]] = {}
        self.bill_usd = Decimal(0)

    def arrive(self, index: int, at_s: float) -> None:
        self._arrived[index] = at_s
        self._act([*self._rule.tick(at_s), *self._rule.arrive(index, at_s)], at_s)

    def until(self, end_s: float) -> Iterator[Sample]:
        while self._events and self._events[0][0] <= end_s:
            at_s, _, kind, number = heapq.heappop(self._events)
            if kind == "ready":
                self._ready[number] = at_s
                self._act(self._rule.ready(number, at_s), at_s)
            else:
                yield self._answer(number, at_s)
                self._act(self._rule.done(number, at_s), at_s)

    def _act(self, actions: list[Action], at_s: float) -> None:
        for action in actions:
            if isinstance(action, Start):
                start_s = self._draw.uniform(0.05, 9.0)
                self.bill_usd += self._tariff.start_usd + Decimal(repr(start_s * 1000)) * self._tariff.ms_usd
                self._push(at_s + start_s, "ready", action.instance)
            elif isinstance(action, Assign):
                work_s = self._draw.uniform(0.0005, 0.2)
                self._served[action.instance] = self._served.get(action.instance, 0) + 1
                self._work[action.request] = (action.instance, work_s, self._served[action.instance])
                self._push(at_s + work_s, "done", action.request)

    def _push(self, at_s: float, kind: str, number: int) -> None:
        heapq.heappush(self._events, (at_s, number, kind, number))

    def _answer(self, request: int, at_s: float) -> Sample:
        instance, work_s, number = self._work.pop(request)
        self.bill_usd += self._tariff.usd(Decimal(repr(work_s * 1000)))
        came_s = self._arrived[request]
        state: State = "cold" if came_s < self._ready[instance] else "warm"
        return Sample(
            index=request, target="g", worker="w", stratum="steady", intended_s=came_s, sent_s=came_s, done_s=at_s,
            outcome="ok", state=state, instance=str(instance), request_number=number, total_ms=work_s * 1000,
        )  # fmt: skip
