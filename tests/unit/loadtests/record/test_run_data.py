"""Reading a stored run: empty functions stand apart from the targets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import EMPTY
from loadtests.record.run_data import read_run
from loadtests.record.store import FILE_NAME, Store
from tests.kits.page import Load, target


def test_empty_functions_are_not_among_the_targets_nor_their_requests_among_the_samples(tmp_path: Path) -> None:
    load = Load([target("aws"), replace(target(f"aws{EMPTY}", "aws"), empty=True)])
    load.cold("aws", 3, around_ms=300.0).cold(f"aws{EMPTY}", 2, around_ms=100.0)
    samples = [replace(each, index=index) for index, each in enumerate(load.samples)]
    store = Store.create(tmp_path / FILE_NAME, load.header)
    store.plan([Arrival(each.index, 0.0, each.target, each.stratum, 0) for each in samples])
    store.append(samples)
    store.close()
    found = read_run(tmp_path)
    assert [each.name for each in found.targets] == ["aws"]
    assert {each.target for each in found.samples} == {"aws"}
    assert found.planned == 3
    assert found.empty is not None
    assert [each.name for each in found.empty.targets] == [f"aws{EMPTY}"]
    assert len(found.empty.samples) == found.empty.planned == 2
    assert set(found.columns) == {"aws"}
