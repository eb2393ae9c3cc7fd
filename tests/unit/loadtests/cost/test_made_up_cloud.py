"""A cloud that nobody has heard of brings its plans and prices in its folder; no code knows its name."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import adapters
from loadtests.cost import PlanError, bill, load_plan, load_plans, usage_of
from loadtests.prices.book import bundled_book
from loadtests.prices.rate import PriceError

CLOUD = """
[cloud]
name = "nimbus"
title = "Nimbus"

[plans.drizzle]
about = "by the tenth of a second"
default = true
architectures = ["x86_64", "riscv64"]
source = "nimbus.example/pricing"
read = "2026-11-20"
duration = { step_ms = "10", minimum_ms = "20" }
memory = { minimum_mb = "256", maximum_mb = "512" }

[plans.drizzle.meters]
time = { line = "compute", quantity = "gb_s", rate = "time.{architecture}", free = "100" }
calls = { line = "requests", quantity = "requests", rate = "calls" }

[plans.storm]
like = "drizzle"
about = "the same without counting requests"

[plans.storm.meters]
calls = false

[prices."2026-01-01"]
default_region = "moon-1"

[prices."2026-01-01".regions]
moon-1 = { sheets = ["moon"] }

[prices."2026-01-01".sheets.moon]
source = "nimbus.example/pricing"
read = "2026-01-01"
confidence = "H"

[prices."2026-01-01".sheets.moon.rates]
calls = { unit = "calls", usd = "1", per = "1000" }
"time.riscv64" = { unit = "GB-s", tiers = [{ from = "0", usd = "0.01" }, { from = "1000", usd = "0.005" }] }
"""


@pytest.fixture
def nimbus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "nimbus"
    folder.mkdir()
    toml = folder / "cloud.toml"
    toml.write_text(CLOUD, encoding="utf-8")
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(tmp_path)])
    return toml


@pytest.mark.usefixtures("nimbus")
def test_its_bill_follows_from_its_data_alone() -> None:
    month = bill("nimbus", None, usage_of(200_000, 13, 512), architecture="riscv64")
    # 13 ms are billed as 20: 2,000 GB-s, 100 of them free, 1,000 at 0.01 and 900 at 0.005
    assert month.line_usd("compute") == Decimal("14.5")
    assert month.line_usd("requests") == 200
    assert month.region == "moon-1"


@pytest.mark.usefixtures("nimbus")
def test_a_plan_like_another_takes_over_its_rules_but_not_that_it_is_the_default() -> None:
    assert [plan.default for plan in load_plans("nimbus")] == [True, False]
    month = bill("nimbus", "storm", usage_of(200_000, 13, 512), architecture="riscv64")
    assert month.usd == Decimal("14.5")


@pytest.mark.usefixtures("nimbus")
def test_a_price_that_it_does_not_have_is_an_error_naming_price_and_book() -> None:
    with pytest.raises(PriceError, match=r"time.x86_64.*moon-1.*2026-01-01"):
        bill("nimbus", None, usage_of(1, 13, 512))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('quantity = "gb_s"', 'quantity = "raindrops"', "known quantities are"),
        ('line = "compute"', 'line = "weather"', "known lines are"),
        ('duration = { step_ms = "10",', 'duration = { sharing = "often",', "known rules are none, instance"),
        ("memory = {", 'memory = { billed = "guessed",', "known rules are configured, observed"),
        ('like = "drizzle"', 'like = "hail"', "is like 'hail'"),
        ('rate = "time.{architecture}"', 'rate = "time.{moon}"', "only {architecture} and {gateway}"),
        ('about = "by the tenth of a second"', "", "lacks 'about'"),
    ],
)
def test_a_rule_that_is_not_known_is_refused_with_the_known_ones(
    nimbus: Path, old: str, new: str, message: str
) -> None:
    nimbus.write_text(CLOUD.replace(old, new), encoding="utf-8")
    with pytest.raises(PlanError) as refused:
        load_plan("nimbus")
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('usd = "1"', "usd = 1.5", "write the number as a string"),
        ('usd = "1"', 'usd = "one"', "expected a number"),
        ('usd = "1"', 'usd = "-1"', "must not be negative"),
        ('{ from = "0", usd = "0.01" }', '{ from = "5", usd = "0.01" }', "ascend from 0"),
        ('confidence = "H"', "", "lacks 'confidence'"),
        ('sheets = ["moon"]', 'sheets = ["sun"]', "unknown sheets"),
    ],
)
def test_a_price_that_cannot_be_read_is_refused_with_the_remedy(
    nimbus: Path, old: str, new: str, message: str
) -> None:
    nimbus.write_text(CLOUD.replace(old, new), encoding="utf-8")
    with pytest.raises(PriceError) as refused:
        bundled_book()
    assert message in str(refused.value)
