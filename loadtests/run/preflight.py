"""Send a few requests to each setting before a sweep: does it work at this size, and how fast is it?

Cold starts of a closed target are forced by who holds its keys: how long that takes is measured too, for the load has
to be fitted to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

from loadtests.cost.budget import BudgetError
from loadtests.credentials.credentials import Credentials
from loadtests.plan.schedule import Arrival
from loadtests.plan.sweep_load import RETIRE_MS, Timing
from loadtests.run.resources import RunResources
from loadtests.send.requester import Requester

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
        """Ask one target, behind a new instance where one can be forced. Raises TargetUnusable and BudgetError."""
        retire_ms = self._retire(target, notes)
        times_ms = list(self._times_ms(target))
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

    def _times_ms(self, target: Target) -> Iterator[float]:
        """Service times of some requests, in ms. The credentials are fresh: a forced cold start takes its time."""
        headers = self.credentials.auth_headers() if self.credentials is not None else None
        credentials = None if headers is None else Credentials(headers)
        requester = Requester(
            [target], self.payloads, worker=WORKER, timeout_s=TIMEOUT_S, on_sample=_forget,
            credentials=credentials, budget=self.budget,
        )  # fmt: skip
        try:
            for number in range(REQUESTS):
                arrival = Arrival(self.sent, 0.0, target.name, "warm-up", number)
                self.sent += 1
                if not requester.admit(arrival):
                    raise BudgetError(RunResources(budget=self.budget).insufficient_budget_message(target.name))
                requester.prepare(arrival)
                yield _service_ms(target, requester.send(arrival, perf_counter()))
        finally:
            requester.close()


def _forget(sample: Sample) -> None:
    """A run has not begun yet that could keep it."""


def _service_ms(target: Target, sample: Sample) -> float:
    """How long it took, in ms. Raises TargetUnusable."""
    if sample.outcome == "ok" and sample.service_ms is not None:
        return sample.service_ms
    if sample.status is None:
        raise TargetUnusable(f"no answer from {target.url} ({sample.error}): start it, or correct the URL")
    what = "but no classification" if sample.error == "not_a_classification" else sample.error
    raise TargetUnusable(f"status {sample.status}, {what}")
