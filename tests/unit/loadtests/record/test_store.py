from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.plan.schedule import Arrival
from loadtests.record import schema
from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Event, Store, StoreError, open_store

HEADER = {"scenario": "quick", "seed": 7, "targets": [{"name": "aws"}]}


def sample(index: int, *, worker: str = "w1", intended_s: float | None = None) -> Sample:
    at_s = float(index) if intended_s is None else intended_s
    return Sample(
        index, "aws", worker, "steady", at_s, at_s + 0.001, at_s + 0.02, "ok", status=200, state="warm", init_ms=120.5
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run é ?#"


def test_everything_that_was_written_is_read_back(run: Path) -> None:
    arrivals = [Arrival(0, 0.5, "aws", "forced", 3), Arrival(1, 1.5, "gcp", "steady", 0)]
    event = Event(2.0, "worker-lost", "w2", {"undelivered": 4})
    with Store.create(run / FILE_NAME, HEADER) as store:
        store.plan(arrivals)
        store.append([sample(1), sample(0)])
        store.record(event)
    with open_store(run) as store:
        assert store.header() == HEADER
        assert store.schedule() == arrivals
        assert store.samples() == [sample(0), sample(1)]
        assert store.events() == [event]
        assert store.events("finished") == []
        assert store.counts() == {"steady": 2}


def test_a_sample_delivered_twice_is_stored_once(run: Path) -> None:
    with Store.create(run / FILE_NAME, HEADER) as store:
        assert store.append([sample(0), sample(1)]) == 2
        assert store.append([sample(1), sample(2), sample(1, worker="w2")]) == 2
        assert len(store.samples()) == 4


def test_samples_come_in_order_of_their_intended_time_whatever_the_worker(run: Path) -> None:
    with Store.create(run / FILE_NAME, HEADER) as store:
        store.append([sample(5, worker="b", intended_s=0.2), sample(9, worker="a", intended_s=0.1)])
        assert [each.index for each in store.samples()] == [9, 5]


def test_the_store_can_be_read_while_it_is_written(run: Path) -> None:
    with Store.create(run / FILE_NAME, HEADER) as store:
        store.append([sample(0)])
        with open_store(run) as reader:
            store.append([sample(1)])
            assert len(reader.samples()) == 2


def test_a_closed_store_is_one_file(run: Path) -> None:
    with Store.create(run / FILE_NAME, HEADER) as store:
        store.append([sample(0)])
    assert [each.name for each in run.iterdir()] == [FILE_NAME]


def test_a_run_is_never_overwritten(run: Path) -> None:
    Store.create(run / FILE_NAME, HEADER).close()
    with pytest.raises(StoreError, match="exists already: choose another run folder"):
        Store.create(run / FILE_NAME, HEADER)


def test_a_missing_run_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no run at .*expected a run folder with a samples\.sqlite"):
        open_store(tmp_path)


def test_another_sqlite_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE header (document TEXT)")
    with pytest.raises(StoreError, match="not a run's store"):
        open_store(file)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot be read"):
        open_store(file)


def test_a_store_of_a_newer_version_says_to_upgrade(run: Path) -> None:
    Store.create(run / FILE_NAME, HEADER).close()
    connection = sqlite3.connect(run / FILE_NAME)
    connection.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    connection.close()
    with pytest.raises(StoreError, match="upgrade tripoint"):
        open_store(run)


def test_a_store_opened_for_reading_cannot_be_written(run: Path) -> None:
    Store.create(run / FILE_NAME, HEADER).close()
    with open_store(run) as reader, pytest.raises(StoreError, match="cannot write"):
        reader.append([sample(0)])


def test_an_opened_run_can_be_continued(run: Path) -> None:
    with Store.create(run / FILE_NAME, HEADER) as store:
        store.append([sample(0)])
    with open_store(run, writable=True) as store:
        store.append([sample(1)])
        assert len(store.samples()) == 2


def test_a_writer_killed_at_once_loses_nothing_that_was_appended(run: Path) -> None:
    script = """
import os, signal, sys
from pathlib import Path
from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Store
store = Store.create(Path(sys.argv[1]) / FILE_NAME, {})
for index in range(200):
    store.append([Sample(index, "aws", "w", "steady", float(index), None, None, "dropped")])
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", script, str(run)], check=False, timeout=60)
    with open_store(run) as store:
        assert [each.index for each in store.samples()] == list(range(200))
