"""Stores of every schema version that was ever shipped can be read: `store/version-N.sql` is never changed."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.platform_report import PlatformReport
from loadtests.plan.schedule import Arrival
from loadtests.record import schema
from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Event, open_store

STORES = Path(__file__).with_name("store")

SAMPLES = [
    Sample(
        index=0,
        target="aws",
        worker="w1",
        stratum="forced",
        intended_s=0.5,
        sent_s=0.501,
        done_s=1.25,
        outcome="ok",
        status=200,
        state="cold",
        connect_ms=0.5,
        answer_ms=0.125,
        request_bytes=1000,
        response_bytes=500,
        instance="i-1",
        request_number=1,
        since_ready_ms=2.5,
        process_start_unix_s=1700000000.5,
        init_start_unix_s=1700000000.75,
        init_ms=300.5,
        imports_ms=200.25,
        model_load_ms=80.5,
        decode_ms=5.5,
        preprocess_ms=4.5,
        inference_ms=30.5,
        total_ms=42.5,
        model="clothes 0.1.0",
        label="pants",
        platform="on-demand",
    ),
    Sample(1, "gcp", "w1", "steady", 1.0, None, None, "dropped", error="in_flight_limit"),
]
REPORT = PlatformReport("REPORT RequestId: 8f5c-0", 42.5, 343.0, 1769, 88, init_ms=300.25)
IN_VERSION = {1: SAMPLES, 2: [replace(SAMPLES[0], request_id="8f5c-0", report=REPORT), SAMPLES[1]]}


def stored(version: int, folder: Path) -> Path:
    """A run's folder with a store of that version."""
    connection = sqlite3.connect(folder / FILE_NAME)
    connection.executescript((STORES / f"version-{version}.sql").read_text(encoding="utf-8"))
    connection.close()
    return folder


@pytest.mark.parametrize("version", range(1, schema.VERSION + 1))
def test_a_store_of_every_version_is_read(version: int, tmp_path: Path) -> None:
    with open_store(stored(version, tmp_path)) as store:
        assert store.version == version
        assert store.header()["scenario"] == "smoke"
        assert store.schedule() == [Arrival(0, 0.0, "aws", "forced", 2, 0), Arrival(1, 0.5, "gcp", "steady", 1, 1)]
        assert store.samples() == IN_VERSION[version]
        assert store.events() == [Event(0.25, "worker-started", "w1"), Event(1.5, "finished")]


@pytest.mark.parametrize("version", range(1, schema.VERSION))
def test_an_older_store_is_brought_up_to_date_when_it_is_written_and_keeps_what_it_had(
    version: int, tmp_path: Path
) -> None:
    run = stored(version, tmp_path)
    with open_store(run) as store:
        assert store.version == version, "reading changes nothing"
        before = store.samples(), store.schedule(), store.events(), store.header()
    with open_store(run, writable=True) as store:
        assert store.version == schema.VERSION
        assert (store.samples(), store.schedule(), store.events(), store.header()) == before
        named = Sample(2, "aws", "w1", "steady", 2.0, 2.0, 2.5, "ok", request_id="8f5c-2")
        assert store.append([named]) == 1
        assert store.keep_reports("aws", {"8f5c-2": REPORT}) == 1
    with open_store(run) as store:
        assert store.samples()[2] == replace(named, report=REPORT)
        assert store.samples()[:2] == before[0]
