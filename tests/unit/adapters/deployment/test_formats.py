"""Zip or image: what a variant says of it, and which clouds take it."""

from __future__ import annotations

import pytest

from adapters.aws import deploy as aws
from adapters.azure.deployment import configuration as azure
from adapters.deployment.function_spec import FunctionSpec, distinct, function_spec_of
from adapters.gcp.deployment import configuration as gcp

ADDRESS = "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:one"


def test_a_format_is_one_of_two() -> None:
    assert function_spec_of({"cloud": "aws", "format": "image"}).builds_image
    with pytest.raises(ValueError, match="format 'tar': expected one of zip, image"):
        FunctionSpec("aws", format="tar")


def test_an_address_is_an_image_that_is_not_built() -> None:
    for variant in (FunctionSpec("aws", image=ADDRESS), FunctionSpec("aws", image=ADDRESS, format="image")):
        assert variant.from_image
        assert not variant.builds_image
    assert not FunctionSpec("aws").from_image


def test_a_zip_and_both_images_stand_side_by_side_under_names_that_lambda_takes() -> None:
    longest = {"plan": "provisioned", "memory_mb": 10240, "reserved_instances": 1, "format": "image"}
    variants = [
        FunctionSpec("aws"),
        function_spec_of({"cloud": "aws", **longest}),
        function_spec_of({"cloud": "aws", **longest, "runtime": "tflite-runtime"}),
    ]
    assert len(distinct(variants)) == 3
    prefix = len("abcdefghijkl-123456789-")  # the longest project
    assert max(len(variant.label) for variant in variants) + prefix <= 64


def test_only_aws_is_given_an_image() -> None:
    with pytest.raises(ValueError, match=r"functions are built from source: .* use --format zip"):
        gcp.refuse_impossible(FunctionSpec("gcp", format="image"))
    with pytest.raises(ValueError, match=r"takes no image: .* use --format zip"):
        azure.refuse_impossible(FunctionSpec("azure", format="image"))
    with pytest.raises(ValueError, match="SnapStart needs a zip"):
        aws.refuse_impossible(FunctionSpec("aws", plan="snapstart", format="image"))
    aws.refuse_impossible(FunctionSpec("aws", format="image"))
