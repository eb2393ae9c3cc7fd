"""The process that adds up the live figures, and the load test's end of it."""

from __future__ import annotations

import io
import json
import marshal
import signal
import time
from typing import TYPE_CHECKING, Any

import gevent
import pytest

from loadtests.live import feed as live_feed
from loadtests.live.feed import LiveFeed
from loadtests.live.figures import LiveFigures
from loadtests.live.process import NOTHING, serve
from loadtests.prices.book import bundled_book
from loadtests.record.sample import as_row
from tests.kits.live import TARGETS, run_of

if TYPE_CHECKING:
    from collections.abc import Iterator

WITHIN_S = 60.0  # generous: the process imports the statistics first
ROWS = [as_row(sample) for sample in run_of(300)]


@pytest.fixture
def feed() -> Iterator[LiveFeed]:
    started = LiveFeed()
    yield started
    started.close()


def expected(count: int) -> dict[str, Any]:
    """The document of the first `count` samples."""
    live = LiveFigures(TARGETS, bundled_book())
    live.take(run_of(300)[:count])
    found: dict[str, Any] = json.loads(json.dumps(live.document()))
    return found


def until(feed: LiveFeed, requests: int) -> dict[str, Any]:
    """Look until so many requests are counted."""
    end_s = time.monotonic() + WITHIN_S
    while time.monotonic() < end_s:
        found = feed.look(within_s=WITHIN_S)
        if sum(entry["requests"] for entry in found["targets"]) == requests:
            return found
        gevent.sleep(0.05)
    pytest.fail(f"{requests} requests were not counted: {found}")


def test_what_was_handed_on_is_in_the_figures(feed: LiveFeed) -> None:
    feed.begin(TARGETS)
    feed.take(ROWS[:200])
    feed.take([list(row) for row in ROWS[200:]])  # as a message from another machine has them
    assert until(feed, 300) == {**expected(300), "missed": 0}


def test_a_new_run_forgets_the_one_before(feed: LiveFeed) -> None:
    feed.begin(TARGETS)
    feed.take(ROWS)
    until(feed, 300)
    feed.begin(TARGETS)
    feed.take(ROWS[:50])
    assert until(feed, 50) == {**expected(50), "missed": 0}


def test_before_a_run_there_is_nothing_to_see(feed: LiveFeed) -> None:
    assert feed.look(within_s=WITHIN_S) == {**NOTHING, "missed": 0}


def test_looking_does_not_wait_longer_than_it_may(feed: LiveFeed) -> None:
    feed._process.send_signal(signal.SIGSTOP)
    feed.begin(TARGETS)
    feed.take(ROWS)
    assert feed.look(within_s=0.05) == {**NOTHING, "missed": 0}
    feed._process.send_signal(signal.SIGCONT)
    until(feed, 300)


def test_what_does_not_fit_the_queue_is_counted_as_missed(feed: LiveFeed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_feed, "QUEUE_MAX_BYTES", 100_000)
    feed.begin(TARGETS)
    feed.look(within_s=WITHIN_S)
    feed._process.send_signal(signal.SIGSTOP)
    for _ in range(10):
        feed.take(ROWS)
        gevent.sleep(0.01)
    missed = feed.look(within_s=0.05)["missed"]
    assert 300 <= missed < 3000
    feed._process.send_signal(signal.SIGCONT)
    until(feed, 3000 - missed)


def test_a_process_that_died_is_a_problem_for_nobody_but_those_who_look(feed: LiveFeed) -> None:
    feed.begin(TARGETS)
    feed.take(ROWS)
    until(feed, 300)
    feed._process.kill()
    feed._process.wait(timeout=WITHIN_S)
    end_s = time.monotonic() + WITHIN_S
    while "problem" not in feed.look(within_s=0.1) and time.monotonic() < end_s:
        gevent.sleep(0.05)
    feed.take(ROWS[:7])
    found = feed.look(within_s=0.1)
    assert "the live figures ended before the run" in found["problem"]
    assert found["missed"] == 7
    assert sum(entry["requests"] for entry in found["targets"]) == 300


def test_a_message_that_is_cut_off_ends_it_quietly() -> None:
    whole = marshal.dumps(("look", None))
    assert list(serve(io.BytesIO(whole + whole[:3]))) == [NOTHING]


def test_closing_it_twice_or_after_its_death_is_harmless() -> None:
    feed = LiveFeed()
    feed._process.kill()
    feed.close()
    feed.close()
