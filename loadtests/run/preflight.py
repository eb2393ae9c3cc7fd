"""A few requests to each setting before a sweep: does it work at all at this size, and how fast is it about?

Cold starts of a closed target are forced by who holds its keys: how long that takes is measured too, for the load has
to be fitted to it.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from loadtests.cost.budget import BudgetError
from loadtests.credentials.credentials import Keys
from loadtests.plan.sweep_load import RETIRE_MS, Timing
from loadtests.run.resources import Means
from loadtests.send.response import Answer
from loadtests.send.response_parser import Intent, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from loadtests.cost.budget import Budget
    from loadtests.credentials.provider import Porter
    from loadtests.plan.payloads import Picture
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample

REQUESTS = 4  # the first may be a cold start
TIMEOUT_S = 60.0
WORKER = "preflight"


class Unfit(Exception):
    """A target did not classify; the message says what it did."""


def preflight(
    targets: Sequence[Target],
    pictures: Sequence[Picture],
    *,
    done: Callable[[int], None],
    porter: Porter | None = None,
    budget: Budget | None = None,
) -> tuple[Mapping[str, Timing], list[str]]:
    """The timing of each target that classifies, by name, and in sentences which do not, and why.

    `done` is told how many targets were asked. `porter` opens closed targets; each request is counted in `budget`
    as those of the run are. Raises BudgetError when it does not hold one more request.
    """
    timings: dict[str, Timing] = {}
    notes: list[str] = []
    asking = _Asking(pictures, porter, budget)
    for number, target in enumerate(targets, start=1):
        try:
            timings[target.name] = asking.time(target, notes)
        except Unfit as error:
            notes.append(f"{target.name} does not work and is left out: {error}")
        done(number)
    return timings, notes


@dataclass(slots=True)
class _Asking:
    """What is sent, how doors are opened, what it may cost; `sent` requests so far."""

    pictures: Sequence[Picture]
    porter: Porter | None
    budget: Budget | None
    sent: int = 0

    def time(self, target: Target, notes: list[str]) -> Timing:
        """Ask one target, behind a new instance where one can be forced. Raises Unfit and BudgetError."""
        retire_ms = self._retire(target, notes)
        keys = Keys(self.porter.passes()) if self.porter is not None else None  # fresh: a retirement takes its time
        times_ms = list(self._times_ms(target, keys))
        return Timing(times_ms[0], median(times_ms[1:]), retire_ms)

    def _retire(self, target: Target, notes: list[str]) -> float:
        """How long it takes who holds the keys to force a cold start, in ms; it is said where they cannot."""
        if self.porter is None or target.name not in self.porter.retirable:
            return RETIRE_MS
        started_s = perf_counter()
        try:
            self.porter.retire(target.name)
        except RuntimeError as error:
            notes.append(f"no cold start of {target.name} could be forced before the run: {error}")
        return (perf_counter() - started_s) * 1000

    def _times_ms(self, target: Target, keys: Keys | None) -> Iterator[float]:
        for number in range(REQUESTS):
            sample = self._send(target, self.pictures[number % len(self.pictures)], keys)
            if sample.outcome != "ok":
                status = "" if sample.status is None else f"status {sample.status}, "
                what = "but no classification" if sample.error == "not_a_classification" else sample.error
                raise Unfit(f"{status}{what}")
            assert sample.service_ms is not None
            yield sample.service_ms

    def _send(self, target: Target, picture: Picture, keys: Keys | None) -> Sample:
        """One request, counted. Raises BudgetError before one that the budget does not hold."""
        index, self.sent = self.sent, self.sent + 1
        if self.budget is not None and not self.budget.reserve(index, target.name):
            raise BudgetError(Means(budget=self.budget).too_small(target.name))
        sample = ask(target, picture, keys, index=index)
        if self.budget is not None:
            self.budget.settle(sample)
        return sample


def ask(target: Target, picture: Picture, keys: Keys | None, *, index: int) -> Sample:
    """One request and what became of it."""
    opening = {} if keys is None else keys.headers(target.name, url=target.url, body=picture.body)
    headers = {**opening, "content-type": picture.content_type}
    request = urllib.request.Request(target.url, data=picture.body, headers=headers)
    sent_s = perf_counter()
    intent = Intent(index, target.name, WORKER, "warm-up", intended_s=0.0, origin_s=sent_s)
    try:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as found:
                status, given, body = found.status, found.headers, found.read()
        except urllib.error.HTTPError as error:
            with error:
                status, given, body = error.code, error.headers, error.read()
    except (OSError, HTTPException) as error:
        said = f"no answer from {target.url} ({error}): start it, or correct the URL"
        return intent.sample("failed", sent_s=0.0, error=said)
    answer = Answer(
        status=status,
        headers={name.lower(): value for name, value in given.items()},
        body=body,
        sent_s=sent_s,
        done_s=perf_counter(),
        connect_ms=None,
        tls_ms=None,
        answer_ms=0.0,
        request_bytes=len(picture.body),
        response_bytes=len(body) + sum(len(name) + len(value) + 4 for name, value in given.items()),
    )
    return read(intent, answer, first_answers={})
