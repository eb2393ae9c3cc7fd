"""How often the process beside a run reads the store, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loadtests.live import process
from loadtests.live.process import NOTHING, StoreReader, document_of, serve
from loadtests.record.run_data import read_run
from loadtests.record.store import FILE_NAME, Store
from tests.kits.live import TARGETS, run_of

SAMPLES = run_of(40)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / FILE_NAME, {"targets": [target.document() for target in TARGETS]}) as created:
        yield created


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock on which every reading of the store takes `took_s`."""
    found = Clock()

    def slow(path: Path) -> dict[str, Any]:
        found.now_s += found.took_s
        found.reads += 1
        return document_of(path)

    monkeypatch.setattr(process, "perf_counter", lambda: found.now_s)
    monkeypatch.setattr(process, "process_time", lambda: found.now_s)
    monkeypatch.setattr(process, "document_of", slow)
    return found


class Clock:
    def __init__(self) -> None:
        self.now_s, self.took_s, self.reads = 100.0, 1.0, 0


def test_a_look_that_took_a_second_is_followed_by_nine_without_one(store: Store, clock: Clock) -> None:
    reader = StoreReader(store.path)
    reader.look()
    store.append(SAMPLES)
    clock.now_s += 8.9
    assert reader.look()["targets"][0]["requests"] == 0
    clock.now_s += 0.2
    assert reader.look()["targets"][0]["requests"] > 0


def test_a_store_that_was_not_written_is_not_read_again(store: Store, clock: Clock) -> None:
    reader = StoreReader(store.path)
    reader.look()
    clock.now_s += 100
    reader.look()
    assert clock.reads == 1


@pytest.mark.parametrize(("took_s", "reads"), [(1.0, 2), (6.0, 1)])
def test_a_last_look_comes_at_once_unless_the_store_is_large(
    store: Store, clock: Clock, took_s: float, reads: int
) -> None:
    clock.took_s = took_s
    reader = StoreReader(store.path)
    reader.look()
    store.append(SAMPLES)
    reader.look(last=True)
    assert clock.reads == reads


def test_a_store_that_cannot_be_read_is_a_problem_that_passes(store: Store, clock: Clock) -> None:
    reader = StoreReader(store.path)
    store.append(SAMPLES)
    hidden = store.path.rename(store.path.with_name("hidden"))
    assert "no run at" in reader.look()["problem"]
    hidden.rename(store.path)
    clock.now_s += 100
    assert "problem" not in reader.look()


def test_states_are_settled_as_the_report_settles_them(store: Store) -> None:
    # The instance was ready 50 ms before the request was sent, so the worker's first guess does not hold.
    sample = next(sample for sample in SAMPLES if sample.outcome == "ok" and sample.instance is not None)
    store.append([replace(sample, state="cold", request_number=2, since_ready_ms=9e3, total_ms=1.0)])
    cold = sum(entry["cold"]["n"] for entry in document_of(store.path)["targets"])
    assert [read.state for read in read_run(store.path).samples] == ["warm"]
    assert [read.state for read in store.samples()] == ["cold"]
    assert cold == 0


def test_a_look_before_the_first_run_shows_nothing() -> None:
    assert list(serve(['{"look": false}\n'])) == [NOTHING]
