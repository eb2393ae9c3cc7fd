"""Every worked example that vendors and their users publish, to the printed cent; named after its source."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loadtests.cost import Calls, Reserve, Snapshots, Usage, bill, load_plan
from loadtests.cost.bill import cents
from loadtests.prices.book import bundled_book


def usage(requests: int, duration_ms: str, memory_mb: int, **more: Any) -> Usage:
    return Usage((Calls(Decimal(requests), Decimal(duration_ms), Decimal(memory_mb), **more),))


def test_aws_ondemand_1_three_million_requests_of_120_ms_cost_2_dollars_73() -> None:
    month = bill("aws", "on-demand", usage(3_000_000, "120", 1536), region="us-east-1")
    assert month.meter("duration").quantity == 540_000
    assert month.meter("duration").billable == 140_000
    assert cents(month.line_usd("compute")) == Decimal("2.33")
    assert cents(month.line_usd("requests")) == Decimal("0.40")
    assert cents(month.usd) == Decimal("2.73")


def test_aws_pc_1_a_hundred_provisioned_for_eight_hours_cost_19_dollars_96() -> None:
    ready = Calls(Decimal(500_000), Decimal(100), Decimal(1536), reserved=True)
    spilled = Calls(Decimal(2_500_000), Decimal(120), Decimal(1536))
    held = Reserve(instances=Decimal(100), hours=Decimal(8), memory_mb=Decimal(1536))
    month = bill("aws", "provisioned", Usage((ready, spilled), reserve=held))
    assert month.meter("provisioned").quantity == 4_320_000
    assert cents(month.line_usd("reserved")) == Decimal("18.00")
    assert cents(month.line_usd("requests")) == Decimal("0.40")
    assert cents(month.meter("duration-provisioned").usd) == Decimal("0.73")
    assert cents(month.meter("duration").usd) == Decimal("0.83")
    assert cents(month.usd) == Decimal("19.96")


def test_aws_init_report_bills_duration_and_init_rounded_once() -> None:
    rule = load_plan("aws").duration
    assert rule.billed_ms(Decimal("250.06"), Decimal("100.77")) == 351
    assert rule.billed_ms(Decimal("250.06")) == 251  # as it was for zip packages before 2025-08-01


def test_azure_consumption_1_three_million_executions_of_a_second_cost_18_dollars() -> None:
    month = bill("azure", "consumption", usage(3_000_000, "1000", 1536, observed_mb=Decimal(512)))
    assert month.meter("duration").quantity == 1_500_000
    assert month.meter("duration").billable == 1_100_000
    assert cents(month.line_usd("compute")) == Decimal("17.60")
    assert cents(month.line_usd("requests")) == Decimal("0.40")
    assert cents(month.usd) == Decimal("18.00")


def test_azure_flex_cpu_bound_hour_of_ten_busy_instances_costs_1_dollar_9296() -> None:
    busy = usage(40 * 3600, "250", 2048, instance_s=Decimal(10 * 3600))
    month = bill("azure", "flex-consumption", busy, free=False)
    assert month.line_usd("compute") == Decimal("1.872")
    assert month.line_usd("compute") / 10 == Decimal("0.1872")
    assert month.line_usd("requests") == Decimal("0.0576")
    assert month.usd == Decimal("1.9296")


def test_azure_units_flex_megabyte_milliseconds_are_billed_as_gigabyte_seconds() -> None:
    units_mb_ms = Decimal(3_540_000_000)  # what Azure's metric OnDemandFunctionExecutionUnits counts
    busy = usage(1000, "250", 2048, instance_s=units_mb_ms / 2048 / 1000)
    month = bill("azure", "flex-consumption", busy, free=False)
    assert round(month.meter("duration").quantity, 2) == Decimal("3457.03")


def test_gcf1_simple_ten_million_invocations_cost_7_dollars_20() -> None:
    month = bill("gcp", "gen1", usage(10_000_000, "300", 128))
    assert month.meter("memory").usd == 0
    assert month.meter("cpu").quantity == 600_000
    assert cents(month.usd) == Decimal("7.20")


def test_infracost_aws_x86_tiers_fill_one_after_another() -> None:
    rate = bundled_book().of("aws").find("us-east-1", "duration.x86_64").rate
    tenths = [round(share * tier.usd, 1) for share, tier in rate.shares(Decimal(61_440_000_000))]
    assert tenths == [Decimal("100000.2"), Decimal("135000.0"), Decimal("619203.1")]
    month = bill("aws", "on-demand", usage(1, "1", 1024, instance_s=Decimal(61_440_000_000)), free=False)
    assert cents(month.meter("duration").usd) == Decimal("854203.30")


def test_infracost_azure_mins_bill_100_ms_and_128_mb() -> None:
    month = bill("azure", "consumption", usage(3_000_000, "50", 1536, observed_mb=Decimal(10)), free=False)
    assert month.meter("duration").quantity == 37_500
    assert cents(month.line_usd("compute")) == Decimal("0.60")
    assert cents(month.line_usd("requests")) == Decimal("0.60")


def test_aws_ondemand_2_telemetry_of_two_seconds_costs_249_dollars_49() -> None:
    month = bill("aws", "on-demand", usage(7_440_000, "2000", 1024), free=False)
    assert cents(month.line_usd("requests")) == Decimal("1.49")
    assert cents(month.line_usd("compute")) == Decimal("248.00")
    assert cents(month.usd) == Decimal("249.49")


def test_aws_ondemand_3_with_two_gigabytes_of_ephemeral_storage_costs_106_dollars_41() -> None:
    month = bill("aws", "on-demand", usage(6_000_000, "280", 4096, ephemeral_mb=Decimal(2048)))
    assert month.meter("ephemeral").quantity == 2_520_000
    assert cents(month.meter("duration").usd) == Decimal("105.33")
    assert cents(month.meter("ephemeral").usd) == Decimal("0.08")
    assert cents(month.usd) == Decimal("106.41")


def test_aws_pc_2_a_day_of_seven_provisioned_gets_no_free_grant_and_costs_32_dollars_26() -> None:
    ready = Calls(Decimal(2_000_000), Decimal(280), Decimal(4096), reserved=True)
    held = Reserve(instances=Decimal(7), hours=Decimal(24), memory_mb=Decimal(4096))
    month = bill("aws", "provisioned", Usage((ready,), reserve=held))
    assert cents(month.line_usd("reserved")) == Decimal("10.08")
    assert cents(month.meter("duration-provisioned").usd) == Decimal("21.78")
    assert cents(month.line_usd("requests")) == Decimal("0.40")
    assert cents(month.usd) == Decimal("32.26")


def test_aws_snapstart_1_one_version_and_one_percent_restores_cost_263_dollars_92() -> None:
    calls = Calls(Decimal(7_440_000), Decimal(2000), Decimal(1024), cold_share=Decimal("0.01"))
    kept = Snapshots(memory_mb=Decimal(1024), versions=Decimal(1), hours=Decimal(24 * 31))
    month = bill("aws", "snapstart", Usage((calls,), snapshots=kept), free=False)
    assert month.meter("snapshot-cache").quantity == 2_678_400
    assert cents(month.meter("snapshot-cache").usd) == Decimal("4.03")
    assert month.meter("snapshot-restore").quantity == 74_400
    assert cents(month.meter("snapshot-restore").usd) == Decimal("10.40")
    assert cents(month.usd) == Decimal("263.92")


def test_aws_streaming_1_bytes_above_six_megabytes_an_answer_cost_7_dollars_81() -> None:
    small = Calls(Decimal(2_000_000), Decimal(500), Decimal(1536), streamed_mb=Decimal("0.1"))
    large = Calls(Decimal(1_000_000), Decimal(500), Decimal(1536), streamed_mb=Decimal(7))
    month = bill("aws", "on-demand", Usage((small, large)))
    assert cents(month.line_usd("compute")) == Decimal("30.83")
    assert cents(month.meter("streaming").usd) == Decimal("7.81")
    assert sum(cents(line.usd) for line in month.lines) == Decimal("39.04")  # the vendor adds up rounded lines


def test_aws_arm_durable_example_thirty_two_million_gb_s_cost_421_dollars_34() -> None:
    month = bill("aws", "on-demand", usage(1_000_000, "32000", 1024), architecture="arm64")
    assert cents(month.line_usd("compute")) == Decimal("421.34")


def test_azure_premium_one_smallest_instance_for_730_hours_costs_157_dollars_72() -> None:
    held = Reserve(instances=Decimal(1), hours=Decimal(730), memory_mb=Decimal(3584))
    month = bill("azure", "premium", Usage((), reserve=held))
    assert cents(month.usd) == Decimal("157.72")


def test_every_published_example_has_a_test_named_after_it() -> None:
    folder = os.environ.get("TRIPOINT_DATA")
    if not folder or not (Path(folder) / "cost_examples.json").is_file():
        pytest.skip("TRIPOINT_DATA is not set, or has no cost_examples.json")
    examples = json.loads((Path(folder) / "cost_examples.json").read_text(encoding="utf-8"))
    wanted = {f"test_{example['id'].replace('-', '_')}" for example in examples}
    missing = {name for name in wanted if not any(test.startswith(name) for test in globals())}
    assert examples
    assert not missing
