"""Bills for other tools: rows that add up, plain numbers, FOCUS columns."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal

import pytest
from click.testing import CliRunner

from cli.commands.cost import command
from loadtests.cost.comparison import CostComparison, PlanChoice, candidates, compare
from loadtests.cost.currency import Currency
from loadtests.cost.question import CostQuestion
from loadtests.cost.statement import FOCUS_MANDATORY, plain, write_csv, write_focus
from loadtests.prices.book import bundled_book

EUR = Currency("EUR", Decimal("0.92"))
COSTS = ("BilledCost", "EffectiveCost", "ListCost", "ContractedCost")


def comparison() -> CostComparison:
    """Every plan, with tiers, grants, credits, held instances and a plan that cannot serve it."""
    question = CostQuestion(
        Decimal(90), Decimal(1024), Decimal(900_000_000), cold_share=Decimal("0.01"), init_ms=Decimal(400),
        response_kb=Decimal(90), log_kb=Decimal(2), image_gb=Decimal(1), payload_kb=Decimal(9_000),
    )  # fmt: skip
    return compare(question, candidates(PlanChoice(), bundled_book()))


@pytest.mark.parametrize("free", [True, False])
def test_the_rows_of_a_plan_add_up_to_its_bill_and_the_parts_of_a_meter_to_what_was_used(free: bool) -> None:
    found, text = comparison(), io.StringIO()
    write_csv(found, text, free=free, currency=EUR)
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    for offer in found.offers:
        bill = offer.with_grant if free else offer.without_grant
        own = [row for row in rows if row["plan"] == offer.candidate.name]
        assert sum(Decimal(row["usd"]) for row in own) == bill.usd
        assert sum(Decimal(row["cost_eur"]) for row in own) == bill.usd * EUR.per_usd
        for line in bill.lines:
            assert sum(Decimal(row["quantity"]) for row in own if row["meter"] == line.meter) == line.quantity
        for row in own:
            if row["part"] != "credit":
                assert Decimal(row["quantity"]) * Decimal(row["unit_price_usd"]) == Decimal(row["usd"])
    assert {row["plan"] for row in rows if row["not_priced"]} == {way.name for way, _ in found.impossible}
    assert any(row["not_priced"] for row in rows), "Lambda takes 6 MB"


def test_every_part_of_a_falling_price_has_its_own_row() -> None:
    question = CostQuestion(Decimal(1000), Decimal(1024), Decimal(20_000_000_000))
    found, text = (
        compare(question, candidates(PlanChoice(clouds=["aws"], plans=["on-demand"]), bundled_book())),
        io.StringIO(),
    )
    write_csv(found, text, free=False, currency=Currency())
    rows = csv.DictReader(io.StringIO(text.getvalue()))
    prices = [row["unit_price_usd"] for row in rows if row["meter"] == "duration" and "x86_64" in row["plan"]]
    assert prices == ["0.0000166667", "0.000015", "0.0000133334"]


def test_focus_rows_have_the_mandatory_columns_and_the_month_after_today() -> None:
    found, text = comparison(), io.StringIO()
    write_focus(found, text, free=True, currency=EUR, today=date(2026, 12, 31))
    rows = list(csv.DictReader(io.StringIO(text.getvalue())))
    assert rows
    for row in rows:
        empty = {name for name in FOCUS_MANDATORY if not row[name]}
        allowed = {"ChargeClass"} | (
            {"PricingQuantity", "PricingUnit"} if row["ChargeCategory"] == "Credit" else set()
        )
        assert empty <= allowed, row
        assert row["ChargeCategory"] in ("Usage", "Credit")
        assert row["BillingCurrency"] == "EUR"
        assert (row["ChargePeriodStart"], row["BillingPeriodEnd"]) == ("2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z")
        assert all(re.fullmatch(r"-?\d+(\.\d+)?", row[name]) for name in COSTS)
        json.loads(row["Tags"])
        if row["ChargeCategory"] == "Usage":
            listed = Decimal(row["ListUnitPrice"]) * Decimal(row["PricingQuantity"])
            assert listed == pytest.approx(Decimal(row["ListCost"]), rel=Decimal("1e-20"))
        else:
            assert Decimal(row["BilledCost"]) < 0
    for offer in found.offers:
        billed = sum(Decimal(row["BilledCost"]) for row in rows if row["x_Plan"] == offer.candidate.name)
        assert billed == offer.with_grant.usd * EUR.per_usd


@pytest.mark.parametrize(
    ("value", "text"),
    [("0E-16", "0"), ("1E+3", "1000"), ("1.50", "1.5"), ("0.0000002", "0.0000002"), ("-4.30", "-4.3")],
)
def test_numbers_are_plain(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize("text", ["EUR", "EUR=0", "EUR=x", "E=1", "EUR=-1", "EUR=NaN"])
def test_a_currency_is_a_code_and_a_rate(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected a code .* such as EUR=0\.92"):
        Currency.read(text)


def test_json_money_is_plain_and_the_table_keeps_80_columns() -> None:
    runner = CliRunner(env={"COLUMNS": "80"})
    asked = ["--duration-ms", "600000", "--requests", "90M", "--log-kb", "3", "--memory-mb", "1024"]
    document = json.loads(runner.invoke(command, [*asked, "--json"]).stdout)
    numbers = [line["usd"] for plan in document["plans"] for line in plan["without_free_grant"]["lines"]]
    assert not [each for each in numbers if "E" in each.upper()]
    table = runner.invoke(command, [*asked, "--currency", "EUR=0.92"]).stdout
    assert table.startswith("EUR a month")
    assert max(map(len, table.splitlines())) <= 80
    assert "aws/" in table
    assert "none" in table, "HTTP answers of Azure end after 230 s"


def test_hours_of_a_day_and_length_of_the_month_count() -> None:
    """Three environments of 1 GB, 8 of 24 hours, 30 days: 3 x 8 x 30 x 3,600 GB-s at 0.0000033334."""
    runner = CliRunner()
    asked = ["--duration-ms", "60", "--requests", "5M", "--held", "3", "--held-hours", "8", "--month-hours", "720"]
    done = runner.invoke(command, [*asked, "--plan", "provisioned", "--arch", "arm64", "--json"])
    (plan,) = json.loads(done.stdout)["plans"]
    lines = {line["meter"]: line for line in plan["without_free_grant"]["lines"]}
    assert Decimal(lines["provisioned"]["usd"]) == Decimal("0.0000033334") * 3 * 8 * 30 * 3600
    on_demand = Decimal(lines["requests"]["quantity"])
    assert on_demand == pytest.approx(Decimal(5_000_000) * 16 / 24, rel=Decimal("0.01")), "two thirds of the day"


def test_versions_and_their_hours_are_paid_for_by_snapstart() -> None:
    asked = ["--duration-ms", "60", "--versions", "4", "--snapshot-hours", "10", "--plan", "snapstart", "--json"]
    (plan,) = json.loads(CliRunner().invoke(command, asked).stdout)["plans"]
    lines = {line["meter"]: line for line in plan["without_free_grant"]["lines"]}
    assert Decimal(lines["snapshot-cache"]["quantity"]) == 4 * 10 * 3600


def test_cpu_is_given_where_a_plan_sells_it_apart() -> None:
    asked = ["--duration-ms", "1000", "--requests", "1M", "--plan", "cloud-run-request", "--vcpu", "2", "--json"]
    (plan,) = json.loads(CliRunner().invoke(command, asked).stdout)["plans"]
    lines = {line["meter"]: line for line in plan["without_free_grant"]["lines"]}
    assert Decimal(lines["cpu"]["quantity"]) == 2_000_000
