"""The rules that bills are often got wrong by; expected figures are worked out by hand in the comments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from loadtests.cost import Calls, Reserve, Snapshots, Usage, bill, load_plan, usage_of
from loadtests.cost.bill import cents
from loadtests.cost.duration import DurationRule

D = Decimal


def test_cloud_run_bills_the_union_of_overlapping_requests_in_steps_of_100_ms() -> None:
    rule = load_plan("gcp").duration
    assert rule.shared_ms([(D(0), D(120)), (D(60), D(180)), (D(1000), D(1030))]) == 300  # 180 -> 200, 30 -> 100


def test_a_request_inside_anothers_time_adds_nothing() -> None:
    rule = load_plan("gcp").duration
    assert rule.shared_ms([(D(0), D(500)), (D(100), D(200))]) == 500


def test_the_flex_minimum_runs_once_for_requests_that_fall_into_it() -> None:
    rule = load_plan("azure").duration
    assert rule.shared_ms([(D(0), D(60)), (D(500), D(560))]) == 1000
    assert rule.shared_ms([(D(0), D(60)), (D(980), D(1040))]) == 1100  # to 1,040, in steps of 100
    assert rule.shared_ms([(D(0), D(60)), (D(5000), D(5060))]) == 2000


def test_no_interval_is_no_time() -> None:
    assert load_plan("azure").duration.shared_ms([]) == 0


def test_google_free_units_are_money_at_tier_1_prices_in_a_tier_2_region() -> None:
    usage = usage_of(10_000_000, 100, 2048)  # 1 M vCPU-s, 2 M GiB-s
    month = bill("gcp", "cloud-run-request", usage, region="europe-west3")
    assert month.meter("cpu").usd == D(1_000_000) * D("0.0000336") - D(180_000) * D("0.000024")
    assert month.meter("memory").usd == D(2_000_000) * D("0.0000035") - D(360_000) * D("0.0000025")
    assert month.meter("requests").usd == D("3.20")


def test_a_credit_larger_than_the_use_leaves_nothing_to_pay_and_nothing_to_get_back() -> None:
    month = bill("gcp", "cloud-run-request", usage_of(1000, 100, 512), region="europe-west3")
    assert month.usd == 0
    assert month.meter("cpu").billable == 0


def test_europe_west2_is_tier_2_for_second_and_tier_1_for_first_generation() -> None:
    usage = usage_of(1_000_000, 1000, 2048)
    second, first = (
        (bill("gcp", plan, usage, region="europe-west2", free=False), bill("gcp", plan, usage, free=False))
        for plan in ("cloud-run-request", "gen1")
    )
    assert second[0].meter("cpu").usd == second[1].meter("cpu").usd * D("1.4")
    assert first[0].usd == first[1].usd


@pytest.mark.parametrize(
    ("memory_mb", "ghz"), [(128, "0.2"), (256, "0.4"), (512, "0.8"), (1024, "1.4"), (2048, "2.4"), (8192, "4.8")]
)
def test_first_generation_bills_the_clock_of_its_memory_size(memory_mb: int, ghz: str) -> None:
    month = bill("gcp", "gen1", usage_of(1_000_000, 250, memory_mb), free=False)
    assert month.meter("cpu").quantity == D(300_000) * D(ghz)  # 250 ms are billed as 300


def test_first_generation_with_egress_charges_what_exceeds_five_gigabytes() -> None:
    calls = Calls(D(50_000_000), D(500), D(256))
    month = bill("gcp", "gen1", Usage((calls,), egress_gb=D(50_000_000) * 5 / 1024**2))
    # 48 M x 0.40; 25 M s x 0.25 GB - 400,000; 25 M s x 0.4 GHz - 200,000; 238.42 GiB - 5 at 0.12
    assert cents(month.line_usd("requests")) == D("19.20")
    assert month.meter("memory").usd == D("5850000") * D("0.0000025")
    assert month.meter("cpu").usd == D("9800000") * D("0.00001")
    assert cents(month.usd) == D("159.84")


def test_provisioned_time_is_rounded_up_to_five_minutes_in_each_period() -> None:
    held = Reserve(instances=D(2), hours=D("1.01"), memory_mb=D(1024), periods=D(30))
    month = bill("aws", "provisioned", Usage((), reserve=held))
    assert month.meter("provisioned").quantity == 2 * 3900 * 30  # 3,636 s -> 3,900 s


def test_provisioned_on_arm_has_its_own_prices() -> None:
    held = Reserve(instances=D(1), hours=D(1), memory_mb=D(1024))
    month = bill("aws", "provisioned", Usage((), reserve=held), architecture="arm64")
    assert month.usd == D(3600) * D("0.0000033334")


def test_a_snapshot_is_cached_for_three_hours_at_least() -> None:
    kept = Snapshots(memory_mb=D(1024), versions=D(4), hours=D("0.5"), restores=D(0))
    month = bill("aws", "snapstart", Usage((), snapshots=kept))
    assert month.usd == 4 * 10_800 * D("0.0000015046")


def test_initialisation_is_billed_by_lambda_and_cloud_run_and_not_by_azure() -> None:
    warm = usage_of(1_000_000, 100, 2048)
    cold = usage_of(1_000_000, 100, 2048, init_ms=1000, cold_share="0.5")
    for cloud, ratio in (("aws", 6), ("gcp", 6), ("azure", 1)):
        before, after = (bill(cloud, None, usage, free=False).line_usd("compute") for usage in (warm, cold))
        assert after == before * ratio, cloud


def test_azure_consumption_bills_memory_in_use_in_steps_of_128_mb_up_to_1536() -> None:
    rule = load_plan("azure", "consumption").memory
    assert [rule.billed_mb(D(1536), D(used)) for used in (10, 129, 1500, 4000)] == [128, 256, 1536, 1536]
    assert rule.billed_mb(D(512)) == 512


def test_flex_and_premium_raise_memory_to_the_next_size_and_refuse_above_the_largest() -> None:
    assert load_plan("azure").memory.billed_mb(D(1024)) == 2048
    with pytest.raises(ValueError, match="largest size is 4096 MB"):
        bill("azure", "flex-consumption", usage_of(1, 1, 8192))


def test_lambda_refuses_memory_outside_its_limits_naming_them() -> None:
    with pytest.raises(ValueError, match="expected 128 to 10240 MB"):
        bill("aws", None, usage_of(1, 1, 64))


def test_a_shared_cloud_run_instance_has_at_least_one_vcpu() -> None:
    calls = Calls(D(1_000_000), D(100), D(512))
    alone, shared = (bill("gcp", None, Usage((calls,), concurrency=limit), free=False) for limit in (1, 80))
    assert alone.meter("cpu").quantity == D(100_000) * D("0.333")
    assert shared.meter("cpu").quantity == D(100_000)
    assert any("upper bound" in note for note in shared.assumptions)


def test_minimum_instances_of_cloud_run_pay_for_idle_time_only() -> None:
    calls = Calls(D(36_000), D(1000), D(2048), reserved=True)  # 10 h of 730
    held = Reserve(instances=D(1), hours=D(730), memory_mb=D(2048))
    month = bill("gcp", None, Usage((calls,), reserve=held), free=False)
    assert month.meter("idle-cpu").quantity == D(720 * 3600)
    assert month.meter("cpu").quantity == D(36_000)


def test_instance_based_cloud_run_pays_for_its_life_and_not_for_requests() -> None:
    held = Reserve(instances=D(1), hours=D(730), memory_mb=D(2048))
    month = bill("gcp", "cloud-run-instance", Usage((Calls(D(10**7), D(60), D(2048)),), reserve=held))
    gross = D(730 * 3600) * (D("0.000018") + 2 * D("0.000002"))
    assert month.usd == gross - 240_000 * D("0.000018") - 450_000 * D("0.000002")


def test_always_ready_flex_pays_the_baseline_besides_its_own_executions_and_spills_on_demand() -> None:
    ready = Calls(D(1_000_000), D(1000), D(2048), reserved=True)
    spilled = Calls(D(100_000), D(1000), D(2048))
    held = Reserve(instances=D(1), hours=D(100), memory_mb=D(2048))
    month = bill("azure", "flex-always-ready", Usage((ready, spilled), reserve=held), free=False)
    assert month.meter("baseline").usd == 2 * 360_000 * D("0.000004")
    assert month.meter("duration-ready").usd == 2_000_000 * D("0.000016")
    assert month.meter("duration").usd == 200_000 * D("0.000026")
    assert month.line_usd("requests") == D("0.44")


def test_flex_has_its_own_free_grant_and_not_that_of_consumption() -> None:
    month = bill("azure", "flex-consumption", usage_of(1_000_000, 1000, 2048))
    assert month.meter("duration").billable == 1_900_000
    assert month.meter("requests").billable == 750_000


@pytest.mark.parametrize(
    ("gateway", "region", "usd"),
    [
        ("function-url", None, "0"),
        ("http-api", None, "390"),
        ("rest-api", None, "1353.10"),
        ("rest-api", "eu-central-1", "1480"),
    ],
)
def test_the_gateway_in_front_is_a_line_of_its_own(gateway: str, region: str | None, usd: str) -> None:
    month = bill("aws", None, replace(usage_of(400_000_000, 10, 128), gateway=gateway), region=region)
    assert month.line_usd("gateway") == D(usd)  # HTTP API: 300 M x 1.00 + 100 M x 0.90


def test_an_http_api_counts_every_512_kilobytes_as_a_request() -> None:
    month = bill("aws", None, replace(usage_of(1_000_000, 10, 128), gateway="http-api", gateway_kb=D(513)))
    assert month.meter("gateway").quantity == 2_000_000


def test_a_rest_api_counts_requests_whatever_their_size() -> None:
    month = bill("aws", None, replace(usage_of(1_000_000, 10, 128), gateway="rest-api", gateway_kb=D(513)))
    assert month.line_usd("gateway") == D("3.50")


def test_egress_logs_and_images_are_lines_of_their_own_after_what_is_free() -> None:
    usage = replace(usage_of(0, 10, 128), egress_gb=D(150), log_gb=D(60), image_gb=D(2))
    aws, gcp = (bill(cloud, None, usage) for cloud in ("aws", "gcp"))
    assert (aws.line_usd("egress"), aws.line_usd("logs"), aws.line_usd("image storage")) == (
        D("4.5"),
        D("29.3"),
        D("0.2"),
    )
    assert (gcp.line_usd("egress"), gcp.line_usd("logs"), gcp.line_usd("image storage")) == (
        D("15.645"),
        D("5"),
        D("0.15"),
    )


def test_a_region_without_its_own_price_borrows_one_and_says_so() -> None:
    month = bill("azure", None, usage_of(1_000_000, 60, 2048), region="westeurope")
    assert any("westeurope" in note and "eastus's is used" in note for note in month.assumptions)
    assert not any("us-east-1" in note for note in bill("aws", None, usage_of(1, 1, 128)).assumptions)


def test_an_area_stands_for_a_region_of_each_cloud() -> None:
    assert bill("aws", None, usage_of(1, 1, 128), region="eu").region == "eu-central-1"
    assert bill("gcp", None, usage_of(1, 1, 128), region="eu").region == "europe-west1"


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({"plan": "free-lunch"}, "on-demand"),
        ({"region": "mars-1"}, "us-east-1"),
        ({"architecture": "riscv"}, "arm64"),
    ],
)
def test_an_unknown_word_is_refused_with_the_known_ones(change: dict[str, str], known: str) -> None:
    words = {"plan": "on-demand", **change}
    with pytest.raises(ValueError, match=known):
        bill("aws", words.pop("plan"), usage_of(1, 1, 128), **words)  # type: ignore[arg-type]


@pytest.mark.parametrize("field", ["requests", "duration_ms", "init_ms"])
def test_negative_use_is_refused_naming_the_field(field: str) -> None:
    numbers = {"requests": 1, "duration_ms": 1, "memory_mb": 128, field: -1}
    with pytest.raises(ValueError, match=f"{field} is -1"):
        usage_of(**numbers)


def test_an_unknown_rule_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="known rules are none, instance"):
        DurationRule.read({"sharing": "sometimes"})
    with pytest.raises(ValueError, match="unknown rules"):
        DurationRule.read({"rounding": 5})


def test_a_steady_stream_shares_instances_and_never_costs_more_than_requests_alone() -> None:
    calls = Calls(D(100_000_000), D(100), D(2048), rate_per_s=D(40))  # 4 in flight on average
    steady = bill("gcp", None, Usage((calls,), concurrency=80), free=False)
    alone = bill("gcp", None, Usage((replace(calls, rate_per_s=None),), concurrency=80), free=False)
    # one instance is busy for 1 - exp(-4) of 2.5 M s; rounding up its 1.8 million periods fills the rest
    assert float(steady.meter("cpu").quantity) == pytest.approx(2_500_000)
    assert steady.usd < alone.usd


def test_isolated_requests_on_flex_pay_a_second_each_and_a_steady_stream_less() -> None:
    calls = Calls(D(1_000_000), D(60), D(2048))
    assert bill("azure", None, Usage((calls,))).meter("duration").quantity == 2_000_000
    steady = replace(calls, rate_per_s=D(1))
    # periods of a second, one second apart on average: half of 1 M s
    assert bill("azure", None, Usage((steady,))).meter("duration").quantity == 1_000_000
