"""Fetch what the platforms wrote about a run's requests, after its end, and keep it beside the samples.

Such lines come seconds to minutes after the answers: they are asked for again until all are there or patience ends.
What has not come by then is counted and said; nothing stands in for it. A line belongs to a request when it has the
very id that the request's answer named.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from loadtests.record.store import Event, open_store

if TYPE_CHECKING:
    from adapters.platform_report import PlatformReport
    from loadtests.record.store import Store

EVENT = "reports"  # in the run's events
PAUSES_S = (1.0, 2.0, 3.0, 5.0)  # between the first questions; the last one from then on
_CLOCKS_APART = timedelta(hours=1)  # lines carry the platform's clock, the run's start ours


class ReportSource(Protocol):
    """Who can read a platform's lines. What fails raises RuntimeError."""

    @property
    def targets(self) -> Collection[str]:
        """Names of the targets that `reports` takes."""

    def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
        """By request id; None where the platform writes nothing that an answer's id could find."""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """Of `asked` answers that named their request, `found` have the platform's line.

    `silent` are targets whose answers' ids are in no line. `trouble` is why reading ended early, "" when it did not.
    """

    requested: int
    found: int
    unmatched: tuple[str, ...] = ()
    failures: str = ""

    @property
    def missing(self) -> int:
        return self.requested - self.found

    def document(self) -> dict[str, object]:
        """Return the event's document as a store of schema 2 holds it (docs/results-format.md)."""
        return {"asked": self.requested, "found": self.found, "silent": self.unmatched, "trouble": self.failures}

    def sentence(self) -> str:
        words = f"the platform's own line was found for {self.found:,} of {self.requested:,} requests"
        words += f"; {self.missing:,} did not come" if self.missing else ""
        words += (
            f"; answers of {', '.join(self.unmatched)} name no request of the platform's lines"
            if self.unmatched
            else ""
        )
        return words + (f"; {self.failures}" if self.failures else "")


@dataclass(slots=True)
class Clock:
    """Seconds that only go on, and waiting."""

    now_s: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


def fetch_reports(
    run: Path,
    source: ReportSource,
    *,
    timeout_s: float,
    show: Callable[[int, int, float], None] = lambda done, total, left_s: None,
    clock: Clock | None = None,
) -> FetchResult | None:
    """Read and keep the lines of the run in a folder; None when none of its answers can have one.

    `show` is told how many of how many are there, and how long it waits at most. An interrupt (Ctrl-C) ends the
    waiting alone: what came is kept. Raises StoreError when the run cannot be read or written.
    """
    with open_store(run, writable=True) as store:
        waiting = _waiting(store, source)
        if not any(waiting.values()):
            return None
        reading = _Reading(store, source, waiting, _start_of(store) - _CLOCKS_APART)
        reading.go_on(timeout_s, show, clock or Clock())
        found = reading.result()
        at_s = max((event.at_s for event in store.events()), default=0.0)
        store.record(Event(at_s, EVENT, document=found.document()))
    return found


@dataclass(slots=True)
class _Reading:
    """The state of one fetch: `waiting` has the ids without a line, by target; the rest is as in FetchResult."""

    store: Store
    source: ReportSource
    waiting: dict[str, set[str]]
    since: datetime
    silent: list[str] = field(default_factory=list)
    trouble: str = ""
    asked: int = 0
    found: int = 0

    def __post_init__(self) -> None:
        self.asked = sum(map(len, self.waiting.values()))

    def go_on(self, patience_s: float, show: Callable[[int, int, float], None], clock: Clock) -> None:
        """Ask until all lines are there, or for `patience_s`."""
        end_s = clock.now_s() + patience_s
        try:
            for pause_s in chain(PAUSES_S, repeat(PAUSES_S[-1])):
                self._ask()
                left_s = max(end_s - clock.now_s(), 0.0)
                show(self.found, self.asked, left_s)
                if not any(self.waiting.values()) or left_s == 0.0:
                    return
                clock.wait(min(pause_s, left_s))
        except KeyboardInterrupt:
            self.trouble = "the waiting was interrupted"
        except RuntimeError as error:
            self.trouble = f"they could not be read: {error}"

    def _ask(self) -> None:
        for target, ids in self.waiting.items():
            reports = self.source.reports(target, since=self.since) if ids else {}
            if reports is None:
                self.silent.append(target)
                self.asked -= len(ids)
                ids.clear()
                continue
            come = {each: reports[each] for each in ids & reports.keys()}
            self.store.keep_reports(target, come)
            self.found += len(come)
            ids.difference_update(come)

    def result(self) -> FetchResult:
        return FetchResult(self.asked, self.found, tuple(self.silent), self.trouble)


def _waiting(store: Store, source: ReportSource) -> dict[str, set[str]]:
    """Ids of the samples that have no line yet, by target."""
    found: dict[str, set[str]] = defaultdict(set)
    for sample in store.samples():
        if sample.request_id is not None and sample.report is None and sample.target in source.targets:
            found[sample.target].add(sample.request_id)
    return dict(found)


def _start_of(store: Store) -> datetime:
    return datetime.fromisoformat(str(store.header()["started_at"]))
