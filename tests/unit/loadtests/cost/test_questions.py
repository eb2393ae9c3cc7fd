"""`tripoint cost`: a question without a run, every plan side by side, and where the order changes."""

from __future__ import annotations

import json
from decimal import Decimal
from math import factorial
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.cost import command
from loadtests.cost.break_even import cheapest_by_volume, order_changes
from loadtests.cost.comparison import PlanChoice, candidates, compare
from loadtests.cost.plans import load_plan
from loadtests.cost.question import CostQuestion, monthly_volume, share
from loadtests.cost.sharing import overflow_share
from loadtests.cost.table import money
from loadtests.prices.book import bundled_book

D = Decimal
BOOK = bundled_book()
ASKED = CostQuestion(D(60), D(1024), D(10_000_000), payload_kb=D(80))


def ask(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, ["--duration-ms", "60", "--json", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.parametrize(
    ("text", "requests"),
    [
        ("10M/month", 10_000_000),
        ("10m", 10_000_000),
        ("1.5k", 1500),
        ("2B/month", 2_000_000_000),
        ("1_000_000", 1_000_000),
        ("1,000", 1000),
        ("1/s", 730 * 3600),
        ("24/day", 730),
        ("2/hour", 1460),
        ("1/min", 43_800),
    ],
)
def test_a_volume_is_read_as_requests_a_month(text: str, requests: int) -> None:
    assert abs(monthly_volume(text) - requests) < D("1e-15")


@pytest.mark.parametrize("text", ["", "many", "10M/fortnight", "-5", "1..5/s"])
def test_a_volume_that_cannot_be_read_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r"10M/month|not a number"):
        monthly_volume(text)


def test_a_share_is_a_percentage_or_a_fraction() -> None:
    assert share("2%") == share("0.02") == D("0.02")
    for wrong in ("101%", "-1%", "often"):
        with pytest.raises(ValueError, match="expected"):
            share(wrong)


def test_every_plan_is_offered_cheapest_first() -> None:
    comparison = compare(ASKED, candidates(PlanChoice(), BOOK))
    costs = [offer.usd(free=True) for offer in comparison.offers]
    assert costs == sorted(costs)
    offered = {(offer.candidate.plan.cloud, offer.candidate.plan.name) for offer in comparison.offers}
    assert {("aws", "on-demand"), ("gcp", "cloud-run-request"), ("azure", "flex-consumption")} <= offered
    assert len(comparison.offers) == len(candidates(PlanChoice(), BOOK))


def test_a_plan_that_cannot_serve_the_question_is_told_with_the_reason() -> None:
    large = CostQuestion(D(60), D(8192), D(1000))
    impossible = {way.name: reason for way, reason in compare(large, candidates(PlanChoice(), BOOK)).impossible}
    assert "largest size is 4096 MB" in impossible["azure/flex-consumption"]


def test_memory_that_a_plan_raises_is_told() -> None:
    offers = compare(ASKED, candidates(PlanChoice(plans=("flex-consumption",)), BOOK)).offers
    assert any("1024 MB are billed as 2048 MB" in note for note in offers[0].with_grant.assumptions)


def test_what_held_instances_cannot_take_overflows_by_erlangs_formula() -> None:
    load, servers = D("1.5"), 3
    terms = [load**count / factorial(count) for count in range(servers + 1)]
    assert float(overflow_share(load, D(servers))) == pytest.approx(float(terms[-1] / sum(terms)), rel=1e-12)
    usage = ASKED.usage(load_plan("aws", "provisioned"))
    kept, over = usage.calls
    assert kept.reserved
    assert not over.reserved
    assert usage.requests == 10_000_000
    assert 0 < over.requests < kept.requests


def test_large_systems_lose_what_exceeds_their_servers() -> None:
    exact, limit = overflow_share(D(2000), D(1000)), overflow_share(D(2002), D(1001))
    assert limit == D("0.5")
    assert float(exact) == pytest.approx(0.5, abs=0.001)
    assert overflow_share(D(600), D(1001)) == 0
    assert overflow_share(D(0), D(2000)) == 0
    assert float(overflow_share(D(600), D(1000))) < 1e-9


def test_provisioned_concurrency_starts_no_request_cold() -> None:
    asked = CostQuestion(D(60), D(1024), D(10_000_000), cold_share=D("0.5"), init_ms=D(900))
    kept, over = asked.usage(load_plan("aws", "provisioned")).calls
    assert kept.cold_share == 0
    assert over.cold_share == D("0.5")


def test_break_even_is_found_where_two_straight_lines_cross() -> None:
    costs = {"flat": lambda _: D(10), "steep": lambda volume: volume / 100_000}
    (change,) = order_changes(costs)
    assert (change.cheaper, change.dearer) == ("flat", "steep")
    assert change.requests == pytest.approx(D(1_000_000), rel=D("0.003"))
    first, second = cheapest_by_volume(costs)
    assert (first.cheaper, second.cheaper, second.requests) == ("steep", "flat", change.requests)


def test_plans_that_cost_the_same_do_not_change_places() -> None:
    same = {"one": lambda volume: volume, "two": lambda volume: volume}
    assert order_changes(same) == ()
    assert [change.cheaper for change in cheapest_by_volume(same)] == ["one"]


def test_a_free_grant_shifts_the_break_even_and_both_are_answered() -> None:
    answer = ask("--arch", "x86_64", "--plan", "on-demand", "--plan", "cloud-run-request", "--response-kb", "0")[
        "break_even"
    ]
    with_grant = [change["requests_per_month"] for change in answer["with_free_grant"]["order_changes"]]
    without = [change["requests_per_month"] for change in answer["without_free_grant"]["order_changes"]]
    # Google gives 2 M requests, AWS 1 M: above 1 M Google is free, until its 180,000 vCPU-s are used up
    assert with_grant
    assert with_grant != without


def test_the_answer_holds_the_lines_of_every_plan_and_their_sources() -> None:
    answer = ask("--plan", "on-demand", "--arch", "arm64", "--gateway", "http-api", "--requests", "20M")
    (plan,) = answer["plans"]
    lines = {line["meter"]: line for line in plan["without_free_grant"]["lines"]}
    assert lines["gateway"]["usd"] == "20.00" or D(lines["gateway"]["usd"]) == 20
    assert all(line["source"] for line in lines.values())
    assert sum(D(line["usd"]) for line in lines.values()) == D(plan["without_free_grant"]["usd_per_month"])
    assert D(plan["with_free_grant"]["usd_per_month"]) < D(plan["without_free_grant"]["usd_per_month"])


def test_a_region_or_an_area_chooses_the_prices_of_its_cloud() -> None:
    assert {plan["region"] for plan in ask("--region", "eu")["plans"]} == {
        "eu-central-1",
        "europe-west1",
        "westeurope",
    }
    chosen = {plan["cloud"]: plan["region"] for plan in ask("--region", "europe-west3")["plans"]}
    assert chosen == {"aws": "us-east-1", "azure": "eastus", "gcp": "europe-west3"}


def test_cold_starts_without_their_length_are_told_as_an_assumption() -> None:
    assert any("--init-ms was not given" in note for note in ask("--cold-share", "2%")["assumptions"])
    dearer = ask("--cold-share", "2%", "--init-ms", "900", "--plan", "on-demand")["plans"][0]
    cheaper = ask("--plan", "on-demand")["plans"][0]
    extra = D(dearer["without_free_grant"]["usd_per_month"]) - D(cheaper["without_free_grant"]["usd_per_month"])
    assert extra == D("200000") * D("0.9") * D("0.0000133334")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--plan", "free-lunch"), "unknown plan 'free-lunch'"),
        (("--arch", "riscv"), "unknown architecture 'riscv'"),
        (("--region", "mars-1"), "no prices for region 'mars-1'"),
        (("--cloud", "nowhere"), "unknown cloud 'nowhere'"),
        (("--gateway", "moat"), "no plan has a gateway 'moat'"),
        (("--memory-mb", "much"), "--memory-mb is 'much'"),
        (("--prices", "1999-01-01"), "no price book '1999-01-01'"),
        (("--memory-mb", "999999"), "no plan can serve this"),
    ],
)
def test_a_wrong_word_is_refused_with_what_is_known(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(command, ["--duration-ms", "60", *words])
    assert message in str(result.exception)


def test_the_table_names_every_plan_and_what_was_assumed() -> None:
    result = CliRunner().invoke(command, ["--duration-ms", "60"], catch_exceptions=False)
    assert result.exit_code == 0
    for words in ("aws/on-demand arm64", "gcp/gen1", "azure/premium", "Cheapest by requests a month", "Assumed:"):
        assert words in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80


def test_held_instances_can_be_given_and_are_then_paid_for_by_plans_that_can_hold() -> None:
    plans = ("--plan", "cloud-run-request", "--plan", "provisioned", "--plan", "gen1", "--requests", "1M")
    held, none = (
        {plan["plan"]: plan["without_free_grant"] for plan in ask(*plans, "--arch", "x86_64", *more)["plans"]}
        for more in (("--held", "2"), ())
    )
    idle = {line["meter"]: D(line["quantity"]) for line in held["cloud-run-request"]["lines"]}["idle-cpu"]
    assert idle == (2 * 730 * 3600 - 100_000) * D("0.583")  # 60 ms are billed as 100
    provisioned = {line["meter"]: D(line["quantity"]) for line in held["provisioned"]["lines"]}["provisioned"]
    assert provisioned == 2 * 730 * 3600
    assert held["gen1"] == none["gen1"]


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        ("0", "0.00"),
        ("0.0123", "0.0123"),
        ("0.5", "0.50"),
        ("999.5", "999.50"),
        ("1234.5", "1,234"),
        ("12345.6", "12,346"),
        ("123456", "123k"),
    ],
)
def test_money_is_shown_with_the_digits_that_matter(usd: str, text: str) -> None:
    assert money(D(usd)) == text
