"""Questions whose answer was wrong once: each with its right value and where that comes from."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from click.testing import CliRunner

from cli.commands.cost import command
from loadtests.cost.bill import bill
from loadtests.cost.break_even import order_changes
from loadtests.cost.question import monthly_volume
from loadtests.cost.usage import Reserve, Usage, usage_of

D = Decimal


def ask(*words: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, [*words, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def usd(answer: dict[str, Any], plan: str) -> float:
    """A month without the free grant."""
    return next(
        float(each["without_free_grant"]["usd_per_month"]) for each in answer["plans"] if each["plan"] == plan
    )


def reasons(*words: str) -> dict[str, str]:
    return {each["plan"]: each["reason"] for each in ask(*words)["impossible"]}


BUSY = ("--duration-ms", "1000", "--requests", "100/s", "--no-free")


def test_instances_that_are_held_do_not_make_the_load_go_away_on_plans_that_cannot_overflow() -> None:
    """100 requests a second of a second each keep 100 places busy, whatever is held."""
    for plan, memory in (("cloud-run-instance", "2048"), ("premium", "3584")):
        words = (*BUSY, "--memory-mb", memory, "--plan", plan)
        assert usd(ask(*words, "--held", "1"), plan) == pytest.approx(usd(ask(*words), plan))
        assert usd(ask(*words, "--held", "400"), plan) > usd(ask(*words), plan), "more than are needed are paid for"


@pytest.mark.parametrize("held", ["0", "0.5", "-1", "many"])
def test_a_number_of_held_instances_that_cannot_be_is_refused(held: str) -> None:
    result = CliRunner().invoke(command, ["--duration-ms", "60", "--held", held])
    assert result.exit_code != 0
    assert "--held" in str(result.exception)


def test_what_takes_longer_than_a_plan_lets_it_has_no_price_and_the_limit_is_said() -> None:
    told = reasons("--duration-ms", "1000000", "--requests", "1k")
    assert "the limit of a function is 900 s" in told["aws/on-demand x86_64"]
    assert "the limit of a function is 540 s" in told["gcp/gen1"]
    assert "the limit of an HTTP answer is 230 s" in told["azure/flex-consumption"]
    assert "gcp/cloud-run-request" not in told, "it may take an hour"
    told = reasons("--duration-ms", "29500", "--gateway", "rest-api", "--requests", "1k")
    assert "the limit of rest-api waits is 29 s" in told["aws/on-demand arm64"]


def test_what_is_larger_than_a_plan_carries_has_no_price() -> None:
    told = reasons("--duration-ms", "60", "--payload-kb", "51200", "--response-kb", "20480")
    assert "the request has 66.7 MB as the platform carries it, the limit is 6.0" in told["aws/on-demand x86_64"]
    assert "the answer has 20.0 MB, the limit is 6.0" in told["aws/on-demand x86_64"]
    assert "the request has 50.0 MB, the limit is 32.0" in told["gcp/cloud-run-request"]
    assert not any(name.startswith("azure") for name in told)
    assert "aws/on-demand x86_64" in reasons("--duration-ms", "60", "--payload-kb", "4700"), "base64 adds a third"
    assert "aws/on-demand x86_64" not in reasons("--duration-ms", "60", "--payload-kb", "4500")


def test_what_no_plan_can_serve_is_refused_with_each_reason_once_and_its_plans() -> None:
    result = CliRunner().invoke(command, ["--duration-ms", "1e30"])
    assert isinstance(result.exception, ValueError)
    said = str(result.exception)
    assert said.count("the limit of a function is 900 s") == 1
    assert "aws/on-demand x86_64, aws/on-demand arm64" in said
    assert "the limit is 1000" in reasons("--duration-ms", "60", "--concurrency", "5000")["gcp/cloud-run-request"]


def test_logs_cost_something_on_every_cloud() -> None:
    """10 M requests of 10 kB are 95.4 GB: Log Analytics takes 2.30 USD for each after 5 of them, on top of 11.40."""
    answer = ask("--duration-ms", "100", "--memory-mb", "1024", "--log-kb", "10", "--requests", "10M")
    plan = next(each for each in answer["plans"] if each["plan"] == "consumption")
    assert float(plan["with_free_grant"]["usd_per_month"]) == pytest.approx(11.40 + 90.37 * 2.30, rel=0.001)
    assert answer["plans"][0]["plan"] != "consumption"
    assert "logs are not counted: --log-kb was not given" in ask("--duration-ms", "60")["assumptions"]


@pytest.mark.parametrize(
    ("cloud", "meter", "usage", "expected"),
    [
        # AWS Compute Blog 2025-05-01: 0.50 to 10 TB, 0.25 to 30, 0.10 to 50, 0.05 beyond
        ("aws", "logs", Usage(usage_of(1, 1, 1024).calls, log_gb=D(61_440)), "12800"),
        # API Gateway: 3.50 to 333 M, 2.80 to 1,000 M
        ("aws", "gateway", Usage(usage_of(1_000_000_000, 1, 1024).calls, gateway="rest-api"), "3033.10"),
        # 50 TiB: 0.09 to 10 TB, 0.085 beyond; Google 0.105 to 10 TiB, 0.08 beyond
        ("aws", "egress", Usage(usage_of(1, 1, 1024).calls, egress_gb=D(51_200)), "4403.20"),
        ("gcp", "egress", Usage(usage_of(1, 1, 2048).calls, egress_gb=D(51_200)), "4352"),
    ],
)
def test_volume_tiers_are_filled_one_after_another(cloud: str, meter: str, usage: Usage, expected: str) -> None:
    assert bill(cloud, None, usage, free=False).meter(meter).usd == D(expected)


def test_free_units_of_logs_egress_and_instance_based_billing() -> None:
    assert bill("aws", None, Usage(usage_of(1, 1, 1024).calls, log_gb=D(5))).meter("logs").usd == 0
    assert bill("gcp", None, Usage(usage_of(1, 1, 2048).calls, egress_gb=D(1))).meter("egress").usd == 0
    held = Usage(usage_of(1, 1, 2048).calls, reserve=Reserve(D(1), D(240_000) / 3600, D(2048)))
    lines = bill("gcp", "cloud-run-instance", held)
    assert lines.meter("cpu").usd == 0, "240,000 vCPU-seconds are free"
    assert lines.meter("memory").billable == 30_000, "of 480,000 GiB-seconds, 450,000 are free"


@pytest.mark.parametrize(("held_s", "billed_s"), [("1", "60"), ("60", "60"), ("61", "61"), ("61.23", "61.3")])
def test_an_instance_on_cloud_run_is_billed_a_minute_at_least_and_then_by_a_tenth_of_a_second(
    held_s: str, billed_s: str
) -> None:
    usage = Usage(usage_of(1, 1, 2048).calls, reserve=Reserve(D(1), D(held_s) / 3600, D(2048)))
    found = bill("gcp", "cloud-run-instance", usage, free=False).meter("cpu").quantity
    assert float(found) == pytest.approx(float(billed_s))


@pytest.mark.parametrize("text", ["1,5M", "1,50", "12,34,567", "1,5/s"])
def test_a_comma_that_groups_no_thousands_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a comma groups thousands"):
        monthly_volume(text)
    assert monthly_volume("1,500,000") == 1_500_000
    assert monthly_volume("12,345.5") == D("12345.5")


def test_two_regions_of_a_cloud_stand_side_by_side_and_their_order_does_not_matter() -> None:
    first = ask("--duration-ms", "60", "--region", "us-central1", "--region", "europe-west3", "--cloud", "gcp")
    second = ask("--duration-ms", "60", "--region", "europe-west3", "--region", "us-central1", "--cloud", "gcp")
    assert {each["region"] for each in first["plans"]} == {"us-central1", "europe-west3"}
    assert [each["region"] for each in first["plans"]] == [each["region"] for each in second["plans"]]


def test_prices_that_stand_in_for_a_regions_own_are_said_in_the_heading() -> None:
    text = CliRunner().invoke(command, ["--duration-ms", "60", "--region", "eu"], catch_exceptions=False).output
    assert "azure westeurope (at the prices of eastus)" in " ".join(text.split())


def test_a_region_without_prices_is_refused_with_a_hint_that_works() -> None:
    result = CliRunner().invoke(command, ["--duration-ms", "60", "--region", "eu-north-1"])
    assert "tripoint prices --refresh --region CLOUD/eu-north-1" in str(result.exception)


def test_an_order_that_changes_and_changes_back_within_a_step_is_found() -> None:
    """A fixed price of 1.0 against one that dips below it for 5 % of the volume around 1.04 M."""

    def dips(volume: Decimal) -> Decimal:
        return D("0.99") if D(1_010_000) < volume < D(1_065_000) else D("1.01")

    changes = order_changes({"flat": lambda _: D(1), "dips": dips})
    assert [(each.cheaper, each.dearer) for each in changes] == [("dips", "flat"), ("flat", "dips")]
    assert float(changes[0].requests) == pytest.approx(1_010_000, rel=0.01)
    assert float(changes[1].requests) == pytest.approx(1_065_000, rel=0.01)
