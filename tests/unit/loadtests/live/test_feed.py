"""The load test's end of the live figures, with the process beside it."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from loadtests.live.feed import ENDED, LiveFeed
from loadtests.live.figures import live_document
from loadtests.live.process import NOTHING
from loadtests.prices.book import bundled_book
from loadtests.record.store import FILE_NAME, Store
from tests.kits.live import TARGETS, run_of

WITHIN_S = 60.0  # generous: the process imports the statistics first
SAMPLES = run_of(300)


@pytest.fixture
def feed() -> Iterator[LiveFeed]:
    started = LiveFeed()
    yield started
    started.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with store_in(tmp_path) as created:
        yield created


def store_in(folder: Path) -> Store:
    return Store.create(folder / FILE_NAME, {"targets": [target.document() for target in TARGETS]})


def expected() -> dict[str, Any]:
    """Return the document of all samples, as it comes out of JSON."""
    in_order = sorted(SAMPLES, key=lambda sample: sample.intended_s)
    document: dict[str, Any] = json.loads(json.dumps(live_document(TARGETS, in_order, bundled_book())))
    return document


def until(feed: LiveFeed, requests: int) -> dict[str, Any]:
    """Look until so many requests are counted."""
    end_s = time.monotonic() + WITHIN_S
    while time.monotonic() < end_s:
        document = feed.look(within_s=WITHIN_S)
        if counted(document) == requests:
            return document
        gevent.sleep(0.05)
    pytest.fail(f"{requests} requests were not counted: {document}")


def counted(document: dict[str, Any]) -> int:
    return sum(entry["requests"] for entry in document["targets"])


def test_figures_are_those_of_the_store_while_it_is_written(feed: LiveFeed, store: Store) -> None:
    feed.begin(store.path)
    store.append(SAMPLES[:200])
    until(feed, 200)
    store.append(SAMPLES[200:])
    assert until(feed, 300) == expected()


def test_a_resumed_run_starts_with_the_samples_it_has(feed: LiveFeed, store: Store) -> None:
    store.append(SAMPLES)
    feed.begin(store.path)
    assert feed.look(within_s=WITHIN_S) == expected()


def test_a_new_run_forgets_the_one_before(feed: LiveFeed, store: Store, tmp_path: Path) -> None:
    store.append(SAMPLES)
    feed.begin(store.path)
    until(feed, 300)
    with store_in(tmp_path / "next") as other:
        other.append(SAMPLES[:50])
        feed.begin(other.path)
        until(feed, 50)


def test_the_last_look_has_every_sample_of_the_closed_store(feed: LiveFeed, tmp_path: Path) -> None:
    with store_in(tmp_path) as store:
        feed.begin(store.path)
        feed.look(within_s=WITHIN_S)
        store.append(SAMPLES)
    assert feed.look(within_s=WITHIN_S, last=True) == expected()
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]


def test_before_a_run_there_are_no_figures(feed: LiveFeed) -> None:
    assert feed.look(within_s=WITHIN_S) == NOTHING


def test_looking_does_not_wait_longer_than_it_may(feed: LiveFeed, store: Store) -> None:
    feed._process.send_signal(signal.SIGSTOP)
    feed.begin(store.path)
    store.append(SAMPLES)
    assert feed.look(within_s=0.05) == NOTHING
    feed._process.send_signal(signal.SIGCONT)
    until(feed, 300)


def test_a_process_that_died_leaves_the_figures_so_far_and_a_problem(feed: LiveFeed, store: Store) -> None:
    store.append(SAMPLES)
    feed.begin(store.path)
    until(feed, 300)
    feed._process.kill()
    feed._process.wait(timeout=WITHIN_S)
    end_s = time.monotonic() + WITHIN_S
    while "problem" not in feed.look(within_s=0.1) and time.monotonic() < end_s:
        gevent.sleep(0.05)
    assert feed.look(within_s=0.1) == {**expected(), "problem": ENDED}
    feed.begin(store.path)


def test_closing_the_feed_twice_or_after_its_process_died_is_harmless() -> None:
    feed = LiveFeed()
    feed._process.kill()
    feed.close()
    feed.close()
