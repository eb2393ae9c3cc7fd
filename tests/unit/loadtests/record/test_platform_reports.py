"""The platform's own lines, read back after a run: late ones, missing ones, and what goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.platform_report import PlatformReport
from loadtests.record.platform_reports import EVENT, PAUSES_S, Clock, FetchResult, ReportSource, fetch_reports
from loadtests.record.sample import Sample
from loadtests.record.store import Event, Store, open_store

START = "2026-11-25T12:00:00+00:00"


@dataclass
class Platform:
    """Knows more lines each time that it is asked: `come[n]` from the n-th time on."""

    come: list[list[str]]
    targets: tuple[str, ...] = ("aws",)
    asked: int = 0
    since: list[datetime] = field(default_factory=list)

    def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
        self.since.append(since)
        known = [each for ids in self.come[: self.asked + 1] for each in ids]
        self.asked += 1
        return {each: report(each) for each in known}


_source: type[ReportSource] = Platform


@dataclass
class FakeTime:
    """Waits by moving on; `then` happens with each wait."""

    now_s: float = 0.0
    then: Callable[[], None] = lambda: None

    def clock(self) -> Clock:
        return Clock(lambda: self.now_s, self.wait)

    def wait(self, delay_s: float) -> None:
        self.then()
        self.now_s += delay_s


def report(request_id: str) -> PlatformReport:
    return PlatformReport(f"REPORT RequestId: {request_id}", 20.5, 21, 1769, 90)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Three answers that named their request, one that did not, one of another target."""
    with Store.create(tmp_path / "samples.sqlite", {"started_at": START}) as store:
        store.append([sample(index, request_id=f"id-{index}") for index in range(3)])
        store.append([sample(3), sample(4, target="gcp", request_id="id-4")])
        store.record(Event(9.5, "finished"))
    return tmp_path


def sample(index: int, *, target: str = "aws", request_id: str | None = None) -> Sample:
    return Sample(index, target, "w", "steady", float(index), float(index), index + 0.5, "ok", request_id=request_id)


def reported(run: Path) -> set[int]:
    """Indexes of the samples that have their line."""
    with open_store(run) as store:
        return {each.index for each in store.samples() if each.report is not None}


def test_lines_that_come_late_are_waited_for_and_each_goes_to_its_own_request(run: Path) -> None:
    platform, time = Platform([["id-0"], [], ["id-2", "of another run"], ["id-1"]]), FakeTime()
    shown: list[tuple[int, int]] = []
    found = fetch_reports(
        run, platform, timeout_s=60, show=lambda done, total, _: shown.append((done, total)), clock=time.clock()
    )
    assert found == FetchResult(requested=3, found=3)
    assert shown == [(1, 3), (1, 3), (2, 3), (3, 3)]
    assert time.now_s == sum(PAUSES_S[:3]), "no longer than it took"
    assert reported(run) == {0, 1, 2}
    with open_store(run) as store:
        assert store.samples()[1].report == report("id-1")
        assert store.events()[-1] == Event(9.5, EVENT, document={**document(found)})
    assert platform.since[0] < datetime(2026, 11, 25, 12, tzinfo=UTC)


def document(found: FetchResult) -> dict[str, object]:
    """As JSON gives it back."""
    return {
        "asked": found.requested,
        "found": found.found,
        "silent": list(found.unmatched),
        "trouble": found.failures,
    }


def test_what_never_comes_is_counted_after_a_bounded_wait(run: Path) -> None:
    time = FakeTime()
    found = fetch_reports(run, Platform([["id-0", "id-2"]]), timeout_s=12, clock=time.clock())
    assert found == FetchResult(requested=3, found=2)
    assert time.now_s == 12
    assert found.sentence() == "the platform's own line was found for 2 of 3 requests; 1 did not come"
    assert reported(run) == {0, 2}


def test_without_patience_it_is_asked_once(run: Path) -> None:
    platform = Platform([["id-0"]])
    found = fetch_reports(run, platform, timeout_s=0, clock=FakeTime().clock())
    assert (found, platform.asked) == (FetchResult(requested=3, found=1), 1)


def test_an_interrupt_ends_the_waiting_and_keeps_what_came(run: Path) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    found = fetch_reports(run, Platform([["id-0"]]), timeout_s=60, clock=FakeTime(then=interrupt).clock())
    assert found == FetchResult(requested=3, found=1, failures="the waiting was interrupted")
    assert reported(run) == {0}


def test_a_platform_that_refuses_is_told_and_the_run_stays_whole(run: Path) -> None:
    class Refusing(Platform):
        def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
            raise RuntimeError("not allowed to FilterLogEvents")

    found = fetch_reports(run, Refusing([]), timeout_s=60, clock=FakeTime().clock())
    assert found is not None
    assert "they could not be read: not allowed to FilterLogEvents" in found.sentence()
    with open_store(run) as store:
        assert len(store.samples()) == 5


def test_a_front_whose_ids_are_in_no_line_is_named_and_not_waited_for(run: Path) -> None:
    class Silent(Platform):
        def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
            return None if target == "gcp" else super().reports(target, since=since)

    time = FakeTime()
    found = fetch_reports(run, Silent([["id-0", "id-1", "id-2"]], ("aws", "gcp")), timeout_s=60, clock=time.clock())
    assert found == FetchResult(requested=3, found=3, unmatched=("gcp",))
    assert time.now_s == 0
    assert "answers of gcp name no request of the platform's lines" in found.sentence()


def test_a_second_reading_asks_for_the_rest_alone(run: Path) -> None:
    fetch_reports(run, Platform([["id-0"]]), timeout_s=0, clock=FakeTime().clock())
    found = fetch_reports(run, Platform([["id-0", "id-1", "id-2"]]), timeout_s=0, clock=FakeTime().clock())
    assert found == FetchResult(requested=2, found=2)
    assert fetch_reports(run, Platform([]), timeout_s=0) is None, "all are there"
