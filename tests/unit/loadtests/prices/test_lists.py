"""Vendors' price lists are read as they are meant: their traps are in the recorded answers."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from typing import Any

import pytest

from adapters import contract
from loadtests.prices.aws_offers import READER as AWS
from loadtests.prices.azure_retail import READER as AZURE
from loadtests.prices.google_catalog import READER as GOOGLE
from loadtests.prices.listing import PriceListFormat, listed
from loadtests.prices.rate import PriceError
from tests.paths import ROOT

RECORDED = ROOT / "tests" / "golden" / "prices"
D = Decimal


def page(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDED / name).read_text(encoding="utf-8"), parse_float=Decimal)
    return found


def wanted(cloud: str) -> dict[str, Any]:
    rates: dict[str, Any] = contract.load(cloud).data["price_list"]["rates"]
    return rates


def test_aws_tiers_are_put_in_order_and_read_exactly() -> None:
    found = AWS.read([page("aws_us_east_1.json")], "us-east-1", wanted("aws"))
    assert found["duration.x86_64"].tiers == (
        (D(0), D("0.0000166667")),
        (D(6_000_000_000), D("0.000015")),
        (D(15_000_000_000), D("0.0000133334")),
    )


def test_aws_rows_of_any_location_are_the_free_tier_and_no_price() -> None:
    found = AWS.read([page("aws_us_east_1.json")], "us-east-1", wanted("aws"))
    assert found["requests"].tiers == ((D(0), D("0.0000002")),)
    assert found["requests"].free == 0


def test_aws_old_terms_other_regions_and_products_without_terms_are_passed_over() -> None:
    found = AWS.read([page("aws_us_east_1.json")], "eu-central-1", wanted("aws"))
    assert found == {"requests": listed("requests", [(D(0), D("0.0000009"))])}


def test_aws_has_one_file_for_each_region() -> None:
    (address,) = AWS.addresses(contract.load("aws").data["price_list"], "eu-west-1", "")
    assert address.endswith("/AWSLambda/current/eu-west-1/index.json")
    assert AWS.following(address, {}) is None


def test_azure_executions_are_priced_per_ten_and_their_tier_counts_in_tens_too() -> None:
    found = AZURE.read([page("azure_eastus_1.json"), page("azure_eastus_2.json")], "eastus", wanted("azure"))
    assert found["requests"].tiers == ((D(0), D("0.0000002")),)
    assert found["requests"].free == 1_000_000
    assert found["flex-requests"].tiers == ((D(0), D("0.0000004")),)
    assert found["flex-requests"].free == 250_000


def test_azure_first_tier_at_price_zero_is_the_grant_and_not_the_price() -> None:
    found = AZURE.read([page("azure_eastus_1.json"), page("azure_eastus_2.json")], "eastus", wanted("azure"))
    assert found["duration"].tiers == ((D(0), D("0.000016")),)
    assert found["duration"].free == 400_000
    assert found["flex-duration"].tiers == ((D(0), D("0.000025")),)  # its two steps are on two pages


def test_azure_other_regions_and_development_prices_are_passed_over() -> None:
    pages = [page("azure_eastus_1.json"), page("azure_eastus_2.json")]
    assert AZURE.read(pages, "eastus", wanted("azure"))["premium-cpu"].tiers == ((D(0), D("0.173")),)
    assert set(AZURE.read(pages, "westeurope", wanted("azure"))) == {"premium-cpu"}


def test_azure_filter_is_escaped_and_pages_follow_their_link() -> None:
    (address,) = AZURE.addresses(contract.load("azure").data["price_list"], "westeurope", "")
    assert " " not in address
    assert "armRegionName%20eq%20%27westeurope%27" in address
    assert "skip=100" in str(AZURE.following(address, page("azure_eastus_1.json")))
    assert AZURE.following(address, page("azure_eastus_2.json")) is None


def test_google_skus_are_found_by_id_whatever_their_spacing() -> None:
    pages = [page("google_1.json"), page("google_2.json")]
    found = GOOGLE.read(pages, "us-central1", wanted("gcp"))
    assert found["cpu"].tiers == ((D(0), D("0.000024")),)  # not the other SKU of the same description
    assert found["cpu"].free == 180_000
    assert found["memory"].tiers == ((D(0), D("0.0000025")),)
    assert found["requests"].tiers == ((D(0), D("0.0000004")),)


def test_google_region_decides_the_tier() -> None:
    found = GOOGLE.read([page("google_1.json"), page("google_2.json")], "europe-west3", wanted("gcp"))
    assert found["cpu"].tiers == ((D(0), D("0.0000336")),)
    assert "memory" not in found


def test_google_pages_are_asked_for_with_the_key_and_the_token() -> None:
    (address,) = GOOGLE.addresses(contract.load("gcp").data["price_list"], "us-central1", "s3cret")
    assert "key=s3cret" in address
    second = GOOGLE.following(address, page("google_1.json"))
    assert second is not None
    assert second.endswith("&pageToken=second+page")
    assert str(GOOGLE.following(second, {"nextPageToken": "third"})).count("pageToken") == 1
    assert GOOGLE.following(second, page("google_2.json")) is None


@pytest.mark.parametrize(
    ("reader", "name", "region", "path"),
    [
        (AZURE, "azure_eastus_1.json", "eastus", ("Items", 0, "currencyCode")),
        (
            GOOGLE,
            "google_1.json",
            "us-central1",
            ("skus", 0, "pricingInfo", 0, "pricingExpression", "tieredRates", 0, "unitPrice", "currencyCode"),
        ),
    ],
)
def test_another_currency_than_usd_is_refused(
    reader: PriceListFormat, name: str, region: str, path: tuple[str | int, ...]
) -> None:
    changed: Any = copy.deepcopy(page(name))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = "EUR"
    with pytest.raises(PriceError, match="expected USD"):
        reader.read([changed], region, wanted("azure" if reader is AZURE else "gcp"))


def test_two_prices_for_the_same_volume_are_refused_and_not_chosen_between() -> None:
    with pytest.raises(PriceError, match="ambiguous"):
        listed("cpu", [(D(0), D(1)), (D(0), D(2))])
    with pytest.raises(PriceError, match="ambiguous"):
        listed("cpu", [(D(5), D(1))])
    assert listed("cpu", [(D(0), D(1)), (D(0), D(1))]).tiers == ((D(0), D(1)),)  # said twice, the same


def test_a_price_that_is_zero_throughout_stays_zero() -> None:
    assert listed("url", [(D(0), D(0))]).tiers == ((D(0), D(0)),)


@pytest.mark.parametrize("measure", ["", "GB Second", "0"])
def test_a_unit_that_cannot_be_read_is_refused(measure: str) -> None:
    changed = page("azure_eastus_1.json")
    changed["Items"][0]["unitOfMeasure"] = measure
    with pytest.raises(PriceError, match="unit"):
        AZURE.read([changed], "eastus", wanted("azure"))
