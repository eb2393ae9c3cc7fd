"""Names of deployed targets: short, the same in every deployment, and never two alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from adapters.deployment.resources import Endpoint
from adapters.deployment.targets import TARGETS, by_target_name, write
from adapters.deployment.variant import Variant
from loadtests.targets import read_targets

if TYPE_CHECKING:
    from pathlib import Path


def endpoint(variant: Variant) -> Endpoint:
    return Endpoint(variant, f"tripoint-htb4ajv0t-{variant.label}", "https://x.example", "iam")


def names(*variants: Variant) -> list[str]:
    return list(by_target_name([endpoint(each) for each in variants]))


def test_one_of_a_cloud_has_the_clouds_name() -> None:
    assert names(Variant("aws"), Variant("gcp"), Variant("azure")) == ["aws", "gcp", "azure"]


def test_several_of_a_cloud_are_told_apart_by_plan_memory_and_the_rest() -> None:
    assert names(Variant("aws", memory_mb=512), Variant("aws", memory_mb=1024), Variant("gcp")) == [
        "aws on-demand-512-x8664-c1",
        "aws on-demand-1024-x8664-c1",
        "gcp",
    ]


def test_the_same_in_two_regions_is_told_apart_by_them() -> None:
    assert names(Variant("aws"), Variant("aws", region="eu-central-1")) == [
        "aws on-demand-1769-x8664-c1 us-east-1",
        "aws on-demand-1769-x8664-c1 eu-central-1",
    ]


def test_the_file_is_one_that_the_load_test_reads(tmp_path: Path) -> None:
    write(tmp_path, [endpoint(Variant("aws", architecture="arm64")), endpoint(Variant("gcp", concurrency=8))])
    first, second = read_targets(tmp_path / TARGETS)
    assert (first.name, first.architecture, first.control) == ("aws", "arm64", None)
    assert (second.name, second.concurrency, second.plan) == ("gcp", 8, "cloud-run-request")
    write(tmp_path, [])
    assert json.loads((tmp_path / TARGETS).read_text()) == {"targets": []}
