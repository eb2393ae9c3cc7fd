"""docs/cost.md says what the code does: its examples are run, its lists compared."""

from __future__ import annotations

import doctest
import re

from adapters import contract
from loadtests.cost import load_plans
from loadtests.cost.plan import LINES
from loadtests.cost.quantities import QUANTITIES
from tests.paths import ROOT

PAGE = ROOT / "docs" / "cost.md"


def test_the_examples_print_what_they_say() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted >= 10
    assert result.failed == 0


def test_every_quantity_plan_and_line_is_named() -> None:
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9_-]+)`", text))
    assert set(QUANTITIES) <= named
    shipped = {plan.name for cloud in ("aws", "azure", "gcp") for plan in load_plans(cloud)}
    assert shipped <= named
    assert all(f"*{line}*" in text for line in LINES)
    assert {"aws", "azure", "gcp"} <= set(contract.clouds())
