"""Send a few requests to each setting before a sweep: does it work at this size, and how fast is it?

Cold starts of a closed target are forced by who holds its keys: how long that takes is measured too, for the load has
to be fitted to it.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from loadtests.cost.budget import BudgetError
from loadtests.credentials.credentials import Credentials
from loadtests.plan.sweep_load import RETIRE_MS, Timing
from loadtests.run.resources import RunResources
from loadtests.send.response import HttpResponse
from loadtests.send.response_parser import PlannedRequest, instance_fields

if TYPE_CHECKING:
    from loadtests.cost.budget import Budget
    from loadtests.credentials.provider import CredentialProvider
    from loadtests.plan.payloads import Payload
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample

REQUESTS = 4  # the first may be a cold start
TIMEOUT_S = 60.0
WORKER = "preflight"


class TargetUnusable(Exception):
    """A target did not classify; the message says what it did."""


def preflight(
    targets: Sequence[Target],
    payloads: Sequence[Payload],
    *,
    done: Callable[[int], None],
    credentials: CredentialProvider | None = None,
    budget: Budget | None = None,
) -> tuple[Mapping[str, Timing], list[str]]:
    """The timing of each target that classifies, by name, and in sentences which do not, and why.

    `done` is told how many targets were asked. `credentials` open closed targets; each request is counted in `budget`
    as those of the run are. Raises BudgetError when it does not hold one more request.
    """
    timings: dict[str, Timing] = {}
    notes: list[str] = []
    asking = _Preflight(payloads, credentials, budget)
    for number, target in enumerate(targets, start=1):
        try:
            timings[target.name] = asking.time(target, notes)
        except TargetUnusable as error:
            notes.append(f"{target.name} does not work and is left out: {error}")
        done(number)
    return timings, notes


@dataclass(slots=True)
class _Preflight:
    """What is sent, how doors are opened, what it may cost; `sent` requests so far."""

    payloads: Sequence[Payload]
    credentials: CredentialProvider | None
    budget: Budget | None
    sent: int = 0

    def time(self, target: Target, notes: list[str]) -> Timing:
        """Ask one target, behind a new instance where one can be forced. Raises Unfit and BudgetError."""
        retire_ms = self._retire(target, notes)
        keys = (
            Credentials(self.credentials.auth_headers()) if self.credentials is not None else None
        )  # fresh: a retirement takes its time
        times_ms = list(self._times_ms(target, keys))
        return Timing(times_ms[0], median(times_ms[1:]), retire_ms)

    def _retire(self, target: Target, notes: list[str]) -> float:
        """How long it takes who holds the keys to force a cold start, in ms; it is said where they cannot."""
        if self.credentials is None or target.name not in self.credentials.cold_start_targets:
            return RETIRE_MS
        started_s = perf_counter()
        try:
            self.credentials.force_cold_start(target.name)
        except RuntimeError as error:
            notes.append(f"no cold start of {target.name} could be forced before the run: {error}")
        return (perf_counter() - started_s) * 1000

    def _times_ms(self, target: Target, keys: Credentials | None) -> Iterator[float]:
        for number in range(REQUESTS):
            sample = self._send(target, self.payloads[number % len(self.payloads)], keys)
            if sample.outcome != "ok":
                status = "" if sample.status is None else f"status {sample.status}, "
                what = "but no classification" if sample.error == "not_a_classification" else sample.error
                raise TargetUnusable(f"{status}{what}")
            assert sample.service_ms is not None
            yield sample.service_ms

    def _send(self, target: Target, payload: Payload, keys: Credentials | None) -> Sample:
        """One request, counted. Raises BudgetError before one that the budget does not hold."""
        index, self.sent = self.sent, self.sent + 1
        if self.budget is not None and not self.budget.reserve(index, target.name):
            raise BudgetError(RunResources(budget=self.budget).insufficient_budget_message(target.name))
        sample = send_once(target, payload, keys, index=index)
        if self.budget is not None:
            self.budget.settle(sample)
        return sample


def send_once(target: Target, payload: Payload, keys: Credentials | None, *, index: int) -> Sample:
    """One request and what became of it."""
    opening = {} if keys is None else keys.headers(target.name, url=target.url, body=payload.body)
    headers = {**opening, "content-type": payload.content_type}
    request = urllib.request.Request(target.url, data=payload.body, headers=headers)
    sent_s = perf_counter()
    intent = PlannedRequest(index, target.name, WORKER, "warm-up", intended_s=0.0, origin_s=sent_s)
    try:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as found:
                status, given, body = found.status, found.headers, found.read()
        except urllib.error.HTTPError as error:
            with error:
                status, given, body = error.code, error.headers, error.read()
    except (OSError, HTTPException) as error:
        said = f"no answer from {target.url} ({error}): start it, or correct the URL"
        return intent.to_sample("failed", sent_s=0.0, error=said)
    answer = HttpResponse(
        status=status,
        headers={name.lower(): value for name, value in given.items()},
        body=body,
        sent_s=sent_s,
        done_s=perf_counter(),
        connect_ms=None,
        tls_ms=None,
        answer_ms=0.0,
        request_bytes=len(payload.body),
        response_bytes=len(body) + sum(len(name) + len(value) + 4 for name, value in given.items()),
    )
    return instance_fields(intent, answer, first_answers={})
