"""Names of deployed targets: short, the same in every deployment, and never two alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.aws.deploy import refuse_long_name
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.naming import Deployment
from adapters.deployment.provider import DeployedEndpoint
from adapters.deployment.targets import TARGETS, by_target_name, write
from loadtests.cost.gateway import check_gateways
from loadtests.plan.targets import TargetsError, read_targets


def endpoint(variant: FunctionSpec) -> DeployedEndpoint:
    return DeployedEndpoint(variant, f"tripoint-htb4ajv0t-{variant.label}", "https://x.example", "iam")


def names(*variants: FunctionSpec) -> list[str]:
    return list(by_target_name([endpoint(each) for each in variants]))


def test_one_of_a_cloud_has_the_clouds_name() -> None:
    assert names(FunctionSpec("aws"), FunctionSpec("gcp"), FunctionSpec("azure")) == ["aws", "gcp", "azure"]


def test_several_of_a_cloud_are_told_apart_by_plan_memory_and_the_rest() -> None:
    assert names(FunctionSpec("aws", memory_mb=512), FunctionSpec("aws", memory_mb=1024), FunctionSpec("gcp")) == [
        "aws on-demand-512-x8664-c1",
        "aws on-demand-1024-x8664-c1",
        "gcp",
    ]


def test_fronts_are_told_apart_and_the_clouds_own_address_is_not_named() -> None:
    assert names(FunctionSpec("aws"), FunctionSpec("aws", front="rest-api")) == [
        "aws on-demand-1769-x8664-c1",
        "aws on-demand-1769-x8664-c1-rest",
    ]
    assert FunctionSpec("gcp", front="rest-api").label == FunctionSpec("gcp").label


def test_a_file_with_a_gateway_that_the_plan_does_not_know_is_refused(tmp_path: Path) -> None:
    write(tmp_path, [endpoint(FunctionSpec("aws", front="rest-api"))])
    path = tmp_path / TARGETS
    path.write_text(path.read_text().replace("rest-api", "resr-api"))
    with pytest.raises(TargetsError, match="gateway 'resr-api' is none of aws/on-demand: expected function-url,"):
        check_gateways(read_targets(path))
    old = json.loads(path.read_text())
    del old["targets"][0]["gateway"]
    path.write_text(json.dumps(old))
    assert read_targets(path)[0].gateway is None, "files of before have no gateway"


def test_the_same_in_two_regions_is_told_apart_by_them() -> None:
    assert names(FunctionSpec("aws"), FunctionSpec("aws", region="eu-central-1")) == [
        "aws on-demand-1769-x8664-c1 us-east-1",
        "aws on-demand-1769-x8664-c1 eu-central-1",
    ]


def test_the_file_is_one_that_the_load_test_reads(tmp_path: Path) -> None:
    write(
        tmp_path, [endpoint(FunctionSpec("aws", architecture="arm64")), endpoint(FunctionSpec("gcp", concurrency=8))]
    )
    first, second = read_targets(tmp_path / TARGETS)
    assert (first.name, first.architecture, first.control) == ("aws", "arm64", None)
    assert (second.name, second.concurrency, second.plan) == ("gcp", 8, "cloud-run-request")
    assert (first.gateway, second.gateway) == ("function-url", None), "only where a cloud has a choice"
    write(tmp_path, [endpoint(FunctionSpec("aws", front="rest-api"))])
    assert read_targets(tmp_path / TARGETS)[0].gateway == "rest-api"
    write(tmp_path, [])
    assert json.loads((tmp_path / TARGETS).read_text()) == {"targets": []}


def test_every_name_of_a_lambda_function_is_short_enough_and_a_longer_one_is_refused() -> None:
    deployment = Deployment("tripoint", "zzzzzzzzz", "ana")
    image = {"format": "image", "runtime": "tflite-runtime", "python": "3.11", "memory_mb": 10240}
    for front in ("function-url", "http-api", "rest-api"):
        for plan, kept in (("on-demand", 0), ("provisioned", 3)):
            variant = FunctionSpec("aws", plan=plan, reserved_instances=kept, front=front, **image)  # type: ignore[arg-type]
            refuse_long_name(f"{deployment.name}-{variant.label}")
    with pytest.raises(ValueError, match="has 65 characters, Lambda takes 64: choose a shorter project"):
        refuse_long_name("x" * 65)
