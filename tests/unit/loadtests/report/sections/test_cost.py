"""The costs on the page: every step of the slider is a whole bill, and break-even points are where bills meet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from loadtests.cost.measured import DEFAULT_VOLUME
from loadtests.report.blocks import Controls, Figure, Section, Table
from loadtests.report.sections.cost import cost
from loadtests.report.sections.volume import MonthlyCosts, months, step_of, steps, volume_text
from tests.kits.page import Load, costs_of, target, three_clouds

if TYPE_CHECKING:
    from loadtests.report.sections.context import ReportContext


@pytest.fixture(scope="module")
def context() -> ReportContext:
    return three_clouds().context()


@pytest.fixture(scope="module")
def found(context: ReportContext) -> MonthlyCosts:
    return months(context)


@pytest.fixture(scope="module")
def section(context: ReportContext) -> Section:
    return cost(context)


def figure(section: Section, name: str) -> Figure:
    return next(block for block in section.blocks if isinstance(block, Figure) and block.name == name)


@pytest.mark.parametrize("volume", [1_000, 1_000_000, 10_000_000, 10_000_000_000])
def test_a_month_costs_what_the_cost_module_says(context: ReportContext, found: MonthlyCosts, volume: int) -> None:
    for name, expected in costs_of(context, volume=volume).items():
        for free, estimate in ((False, expected.usd_per_million), (True, expected.usd_per_million_free)):
            bill = found.bills[name](Decimal(volume), free)
            assert float(bill.usd_per_million) == pytest.approx(estimate.value), (name, free)


def test_the_slider_begins_at_the_volume_of_the_table(section: Section) -> None:
    controls = next(block for block in section.blocks if isinstance(block, Controls))
    assert controls.labels[controls.step] == volume_text(DEFAULT_VOLUME) == "10 million"
    assert len(controls.labels) == len(steps())


def test_every_step_of_the_slider_has_a_bill_of_every_target(section: Section, found: MonthlyCosts) -> None:
    rows = figure(section, "cost-volume").spec["datasets"]["rows"]
    assert len(rows) == len(steps()) * 4 * 2, "Azure's plan can be read in two ways"
    for row in rows[::37]:
        usd = found.bills[row["target"]](steps()[row["step"]], row["free"] == "yes").usd
        assert row["usd"] == pytest.approx(float(usd), rel=1e-3, abs=1e-9)


def test_at_a_break_even_point_two_bills_meet(found: MonthlyCosts) -> None:
    changes = found.changes(free=True)
    assert changes, "free grants differ, so the order of these plans changes with the volume"
    costs = found.costs(free=True)
    for each in changes:
        before, after = each.requests / Decimal("1.01"), each.requests * Decimal("1.01")
        assert costs[each.cheaper](before) >= costs[each.dearer](before)
        assert costs[each.cheaper](after) <= costs[each.dearer](after)


def test_the_lines_of_a_bill_add_up_to_the_figure_of_the_table(context: ReportContext, section: Section) -> None:
    rows = figure(section, "cost-lines").spec["datasets"]["rows"]
    for part in context.summary.targets:
        lines = [row["usd"] for row in rows if row["target"] == part.target.name]
        assert sum(lines) == pytest.approx(part.usd_per_million.value)


def test_a_target_that_cannot_be_costed_is_told_and_the_others_are_drawn() -> None:
    odd = target("odd", "gcp", memory_mb=1_000_000)
    load = Load([target("aws"), odd]).warm("aws", 80, around_ms=10).warm("odd", 80, around_ms=10)
    section = cost(load.context())
    told = " ".join(item for block in section.blocks for item in getattr(block, "items", ()))
    assert "odd has no cost: memory 1000000 MB" in told
    assert {row["target"] for row in figure(section, "cost-volume").spec["datasets"]["rows"]} == {"aws"}


def test_round_volumes_are_in_a_table_with_and_without_the_grants(section: Section) -> None:
    table = figure(section, "cost-volume").table
    assert isinstance(table, Table)
    assert [table.headings[1], table.headings[-1], len(table.headings)] == ["1 thousand", "10 billion", 9]
    assert [row[0].note for row in table.rows] == ["with free grant", "without"] * 4


def test_the_step_nearest_to_a_volume_is_found_by_ratio() -> None:
    assert steps()[step_of(Decimal(1_000_000))] == pytest.approx(Decimal(1_000_000))
    assert step_of(Decimal(1)) == 0
    assert step_of(Decimal(10) ** 12) == len(steps()) - 1
