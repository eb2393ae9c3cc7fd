"""One request, measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from adapters.platform_report import PlatformReport
    from loadtests.plan.phases import Stratum

Outcome = Literal["ok", "failed", "timeout", "dropped"]
State = Literal["cold", "pre-initialised", "warm"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One request of a run, raw.

    Times named `_s` are seconds of `perf_counter` since the run's start on the worker that sent it;
    `sent_s` and `done_s` are None for a request that was dropped before it was sent, `done_s` also for one
    whose answer never came. `stratum` is what the schedule wanted, `state` what the evidence shows (None
    without evidence). `connect_ms` and `tls_ms` are None when an open connection was used again; `answer_ms`
    is from the answer's first line to its last byte. Server-side fields are None when the answer carried none;
    `platform` is the platform's own word about the instance where it gives one. `request_id` is the platform's name
    for the request, and `report` what the platform wrote about it later: it is no part of the measured row.
    """

    index: int
    target: str
    worker: str
    stratum: Stratum
    intended_s: float
    sent_s: float | None
    done_s: float | None
    outcome: Outcome
    status: int | None = None
    error: str | None = None
    state: State | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    answer_ms: float | None = None
    request_bytes: int = 0
    response_bytes: int = 0
    instance: str | None = None
    request_number: int | None = None
    since_ready_ms: float | None = None
    process_start_unix_s: float | None = None
    init_start_unix_s: float | None = None
    init_ms: float | None = None
    imports_ms: float | None = None
    model_load_ms: float | None = None
    decode_ms: float | None = None
    preprocess_ms: float | None = None
    inference_ms: float | None = None
    total_ms: float | None = None
    model: str | None = None
    label: str | None = None
    platform: str | None = None
    request_id: str | None = None
    report: PlatformReport | None = None

    @property
    def latency_ms(self) -> float | None:
        """From the intended send time to the answer: the figure that reports use."""
        return None if self.done_s is None else (self.done_s - self.intended_s) * 1000

    @property
    def service_ms(self) -> float | None:
        """From the actual send to the answer."""
        return None if self.done_s is None or self.sent_s is None else (self.done_s - self.sent_s) * 1000

    @property
    def slip_ms(self) -> float | None:
        """Actual minus intended send time."""
        return None if self.sent_s is None else (self.sent_s - self.intended_s) * 1000


# The measured fields in order, as `Sample(*row)` takes them: all but the report, which comes later from elsewhere.
MEASURED = tuple(each.name for each in fields(Sample) if each.name != "report")
# Many times faster than `dataclasses.astuple`, which copies.
as_row: Callable[[Sample], tuple[Any, ...]] = attrgetter(*MEASURED)
