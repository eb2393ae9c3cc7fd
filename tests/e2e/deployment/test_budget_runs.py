"""A budget is never passed: real runs on the local clouds, with prices and speeds that a seed decides.

TRIPOINT_BUDGET_RUNS=100 makes a hundred runs in place of one (about half an hour).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters import contract
from adapters.emulator import clouds
from cli.measurement.local_targets import target_of
from tests.kits import budget

if TYPE_CHECKING:
    from loadtests.plan.targets import Target

pytestmark = [pytest.mark.timeout(900)]
RUNS = int(os.environ.get("TRIPOINT_BUDGET_RUNS", "1"))


@pytest.fixture(scope="module")
def targets() -> Iterator[Sequence[Target]]:
    """One set of local clouds for all runs."""
    with clouds.start(contract.clouds()) as running:
        yield [target_of(each) for each in running.values()]


@pytest.mark.parametrize("seed", range(RUNS))
def test_what_a_run_really_cost_is_never_more_than_its_budget(
    seed: int,
    targets: Sequence[Target],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TRIPOINT_PRICES", str(tmp_path / "prices"))
    found = budget.capped_run(tmp_path, targets, random.Random(seed))
    print(found)
    assert found.requests > 0
    assert found.bill_usd <= found.cap_usd, found
    assert found.bill_usd <= found.spent_usd <= found.cap_usd, found
