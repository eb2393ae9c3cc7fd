"""The cost of a run follows from its raw samples: billed time of each, the union where instances are shared."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from adapters import contract
from loadtests.cost.bill import BillTerms, bill_plan
from loadtests.cost.measured import cost_of
from loadtests.cost.plan import Plan
from loadtests.cost.plans import load_plan, load_plans
from loadtests.cost.question import CostQuestion
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample

BOOK = bundled_book()
LAMBDA = Target("aws", "aws", "on-demand", "us-east-1", 1024, "http://127.0.0.1:1")
RUN = Target("gcp", "gcp", "cloud-run-request", "us-central1", 2048, "http://127.0.0.1:1", concurrency=80)
MILLION = 1_000_000


def sample(
    index: int, target: Target, *, start_s: float = 0.0, total_ms: float = 60.0, instance: str = "a"
) -> Sample:
    done = start_s + total_ms / 1000
    return Sample(
        index, target.name, "w", "steady", start_s, start_s, done, "ok", 200,
        state="warm", instance=instance, total_ms=total_ms,
    )  # fmt: skip


def value(target: Target, samples: list[Sample]) -> float:
    cost = cost_of(target, samples, BOOK, volume=MILLION).usd_per_million
    assert cost.value is not None, cost.reason
    return cost.value


def test_each_duration_is_rounded_up_before_the_mean_is_taken() -> None:
    samples = [sample(0, LAMBDA, total_ms=1.2), sample(1, LAMBDA, start_s=1, total_ms=3.0)]
    billed = cost_of(LAMBDA, samples, BOOK).billed_ms
    assert billed.value == 2.5  # (2 + 3) / 2; rounding the mean of 2.1 would give 3


def test_a_million_requests_of_60_ms_on_lambda_cost_a_million_times_one() -> None:
    expected = 1_000_000 * 0.060 * 0.0000166667 + 0.20
    assert value(LAMBDA, [sample(0, LAMBDA)]) == pytest.approx(expected, rel=1e-9)


def test_initialisation_is_billed_on_lambda_for_cold_starts_only() -> None:
    cold = replace(sample(0, LAMBDA, total_ms=250.06), state="cold", init_ms=100.77)
    warm = replace(cold, index=1, state="warm")
    assert cost_of(LAMBDA, [cold], BOOK).billed_ms.value == 351
    assert cost_of(LAMBDA, [warm], BOOK).billed_ms.value == 251


def test_the_platforms_own_report_line_is_believed_before_our_clock() -> None:
    line = "REPORT RequestId: 1\tDuration: 250.06 ms\tBilled Duration: 351 ms\tMemory Size: 128 MB"
    cost = cost_of(LAMBDA, [replace(sample(0, LAMBDA), platform=line)], BOOK)
    assert cost.billed_ms.value == 351
    assert any("REPORT" in note for note in cost.assumptions)


def test_requests_that_overlap_on_one_cloud_run_instance_are_billed_once() -> None:
    together = [sample(index, RUN, total_ms=100) for index in range(10)]
    apart = [sample(index, RUN, total_ms=100, instance=str(index)) for index in range(10)]
    assert cost_of(RUN, together, BOOK).billed_ms.value == 10
    assert cost_of(RUN, apart, BOOK).billed_ms.value == 100


def test_an_isolated_request_on_flex_pays_a_second_and_a_busy_instance_does_not() -> None:
    flex = Target("az", "azure", "flex-consumption", "eastus", 2048, "http://127.0.0.1:1")
    isolated = [sample(index, flex, start_s=10.0 * index) for index in range(4)]
    busy = [sample(index, flex, start_s=0.25 * index, total_ms=250) for index in range(40)]
    assert cost_of(flex, isolated, BOOK).billed_ms.value == 1000
    assert cost_of(flex, busy, BOOK).billed_ms.value == 250
    strict = cost_of(replace(flex, plan="flex-per-request"), busy, BOOK)
    assert strict.billed_ms.value == 1000
    told = [note for note in cost_of(flex, busy, BOOK).assumptions if "read as flex-per-request" in note]
    assert f"{strict.usd_per_million.value:.2f} USD" in told[0]


@pytest.mark.parametrize("volume", [1_000, 3_000_000, 10_000_000])
def test_the_cost_of_shared_time_follows_from_the_months_volume_and_not_from_the_tests_rate(
    volume: int,
) -> None:
    """The same dollars as `tripoint cost` says for the same question."""
    flex = Target("az", "azure", "flex-consumption", "eastus", 2048, "http://127.0.0.1:1")
    question = CostQuestion(Decimal(60), Decimal(2048), Decimal(volume), response_kb=Decimal(0))
    terms = BillTerms("eastus", "x86_64", False)
    plan = load_plan("azure", "flex-consumption")
    expected = bill_plan(plan, question.usage(plan), terms=terms, prices=BOOK.of("azure")).usd_per_million
    for gap_s in (0.05, 0.25, 10.0):
        samples = [sample(index, flex, start_s=gap_s * index, instance=f"i{index % 8}") for index in range(40)]
        found = cost_of(flex, samples, BOOK, volume=volume).usd_per_million
        assert found.value == pytest.approx(float(expected)), gap_s


def test_another_reading_of_a_plan_stands_beside_its_cost() -> None:
    flex = Target("az", "azure", "flex-consumption", "eastus", 2048, "http://127.0.0.1:1")
    samples = [sample(index, flex, start_s=0.1 * index) for index in range(40)]
    reading = cost_of(flex, samples, BOOK).reading
    strict = cost_of(replace(flex, plan="flex-per-request"), samples, BOOK)
    assert reading is not None
    assert (reading.plan, reading.usd_per_million) == ("flex-per-request", strict.usd_per_million)
    assert strict.reading is None
    assert cost_of(LAMBDA, [sample(0, LAMBDA)], BOOK).reading is None


def test_forced_cold_starts_do_not_raise_the_cost_of_a_service_under_load() -> None:
    forced = replace(sample(9, LAMBDA, start_s=5), stratum="forced", state="cold", init_ms=2000.0, instance="z")
    steady = [sample(index, LAMBDA, start_s=index) for index in range(5)]
    assert value(LAMBDA, [*steady, forced]) == value(LAMBDA, steady)
    alone = cost_of(LAMBDA, [forced], BOOK)
    assert any("provoked" in note for note in alone.assumptions)


def test_the_interval_is_over_instances_and_repeats_itself() -> None:
    samples = [
        sample(10 * slow + request, LAMBDA, start_s=request, total_ms=50 + 10 * slow, instance=f"i{slow}")
        for slow in range(8)
        for request in range(5)
    ]
    first, second = (cost_of(LAMBDA, samples, BOOK).usd_per_million for _ in range(2))
    assert first == second
    assert first.lo is not None
    assert first.hi is not None
    assert first.value is not None
    assert first.lo < first.value < first.hi


def test_few_instances_give_no_interval_and_say_so() -> None:
    samples = [sample(index, LAMBDA, start_s=index, total_ms=51.0 + index) for index in range(50)]
    cost = cost_of(LAMBDA, samples, BOOK)
    assert (cost.billed_ms.lo, cost.usd_per_million.lo) == (None, None)
    assert any("no interval: it takes 6 instances" in note for note in cost.assumptions)


def test_few_instances_that_are_shared_give_no_interval_and_say_so() -> None:
    cost = cost_of(RUN, [sample(index, RUN, start_s=index) for index in range(50)], BOOK)
    assert cost.usd_per_million.value is not None
    assert cost.usd_per_million.lo is None
    assert any("no interval" in note for note in cost.assumptions)


def test_the_free_grant_lowers_the_cost_and_both_are_told() -> None:
    cost = cost_of(LAMBDA, [sample(0, LAMBDA)], BOOK, volume=MILLION)
    assert cost.usd_per_million_free.value == 0.0
    assert cost.usd_per_million.value is not None
    assert cost.usd_per_million.value > 0


def test_a_local_target_is_costed_at_the_default_region_and_says_so() -> None:
    cost = cost_of(replace(LAMBDA, region="local"), [sample(0, LAMBDA)], BOOK)
    assert cost.bill is not None
    assert cost.bill.region == "us-east-1"
    assert any("us-east-1" in note for note in cost.assumptions)


@pytest.mark.parametrize("change", [{"region": "mars-1"}, {"plan": "gratis"}, {"cloud": "nowhere"}])
def test_what_the_book_does_not_know_has_a_reason_instead_of_a_cost(change: dict[str, str]) -> None:
    target = replace(LAMBDA, **change)  # type: ignore[arg-type]
    cost = cost_of(target, [sample(0, target)], BOOK)
    assert cost.usd_per_million.value is None
    assert next(iter(change.values())) in str(cost.usd_per_million.reason)


def test_a_run_without_samples_has_a_reason_instead_of_a_cost() -> None:
    assert cost_of(LAMBDA, [], BOOK).usd_per_million.reason is not None


def test_answers_without_server_time_are_billed_at_the_clients_and_said() -> None:
    blind = replace(sample(0, LAMBDA), total_ms=None)
    cost = cost_of(LAMBDA, [blind], BOOK)
    assert cost.billed_ms.value == 60
    assert any("no server time" in note for note in cost.assumptions)


def test_requests_and_egress_are_lines_of_their_own() -> None:
    big = replace(sample(0, LAMBDA), response_bytes=1024**2)
    lines = {line.meter: line for line in cost_of(LAMBDA, [big], BOOK, volume=1024).lines}
    assert lines["egress"].quantity == 1
    assert lines["egress"].usd == Decimal("0.09")
    assert lines["requests"].quantity == 1024


@pytest.mark.parametrize(
    "plan", [plan for cloud in contract.clouds() for plan in load_plans(cloud)], ids=lambda plan: plan.name
)
def test_a_run_can_be_costed_under_every_plan(plan: Plan) -> None:
    target = Target("t", plan.cloud, plan.name, "local", 1024, "http://127.0.0.1:1")
    samples = [sample(index, target, start_s=index, instance=f"i{index % 7}") for index in range(21)]
    cost = cost_of(target, samples, BOOK)
    assert cost.usd_per_million.value is not None, cost.usd_per_million.reason
    assert cost.usd_per_million_free.value is not None
    assert 0 <= cost.usd_per_million_free.value <= cost.usd_per_million.value
    assert any("requests a month" in note for note in cost.assumptions)


@pytest.mark.parametrize(
    ("gateway", "request_bytes", "usd"),
    [
        ("function-url", 900_000, 0.0),
        ("http-api", 150_000, 1.0),
        ("http-api", 900_000, 2.0),
        ("rest-api", 900_000, 3.5),
    ],
)
def test_what_stands_in_front_is_a_line_of_the_bill(gateway: str, request_bytes: int, usd: float) -> None:
    behind = replace(LAMBDA, url="https://x.execute-api.us-east-1.amazonaws.com/live/", gateway=gateway)
    cost = cost_of(behind, [replace(sample(0, behind), request_bytes=request_bytes)], BOOK, volume=1_000_000)
    assert sum(float(line.usd) for line in cost.lines if line.name == "gateway") == pytest.approx(usd)
    assert any(gateway in note for note in cost.assumptions) == (gateway != "function-url")


def test_sizes_are_counted_for_each_request_and_not_for_their_mean() -> None:
    behind = replace(LAMBDA, gateway="http-api")
    sizes = [replace(sample(index, behind), request_bytes=size) for index, size in enumerate((100_000, 600_000))]
    cost = cost_of(behind, sizes, BOOK, volume=1_000_000)
    assert sum(float(line.usd) for line in cost.lines if line.name == "gateway") == pytest.approx(1.5)


def test_an_api_gateway_of_unknown_kind_counts_as_the_dearest_and_is_told() -> None:
    behind = replace(LAMBDA, url="https://x.execute-api.us-east-1.amazonaws.com/live/")
    cost = cost_of(behind, [sample(0, behind)], BOOK, volume=1_000_000)
    assert sum(float(line.usd) for line in cost.lines if line.name == "gateway") == pytest.approx(3.5)
    assert any("does not tell which kind: rest-api, the dearest" in note for note in cost.assumptions)


def test_snapstart_pays_for_the_snapshot_and_for_the_restores_that_were_seen() -> None:
    target = replace(LAMBDA, plan="snapstart")
    cold = replace(sample(0, target), state="cold", init_ms=100.0)
    lines = {
        line.meter: line for line in cost_of(target, [cold, sample(1, target, start_s=1)], BOOK, volume=1000).lines
    }
    assert lines["snapshot-restore"].quantity == 500
    assert lines["snapshot-cache"].quantity == 730 * 3600


def test_held_instances_follow_from_the_work_and_not_from_a_billed_minimum() -> None:
    target = Target("az", "azure", "flex-always-ready", "eastus", 2048, "http://127.0.0.1:1")
    samples = [sample(index, target, start_s=10.0 * index) for index in range(10)]
    cost = cost_of(target, samples, BOOK, volume=10_000_000)  # 60 ms x 10 M: a quarter of one instance
    assert any(note.startswith("1 instance(s) of 2048 MB are held") for note in cost.assumptions)
