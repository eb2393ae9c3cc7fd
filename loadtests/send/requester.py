"""Send one request of a worker and record it: a sample for the store, an event for Locust's own page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING, Any

from adapters import contract
from loadtests.send.endpoint import FAILURES, HttpEndpoint
from loadtests.send.response_parser import PlannedRequest, instance_fields

if TYPE_CHECKING:
    from loadtests.cost.budget import Budget
    from loadtests.credentials.credentials import Credentials
    from loadtests.plan.payloads import Payload
    from loadtests.plan.schedule import Arrival
    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample

RETIRE_WITHIN_S = 20.0


class Requester:
    """One worker's connections to the targets; `keep` takes every sample, `fire` is Locust's request event.

    `keys` open closed targets. `budget` is asked for every request that is sent: see `admit`. `ask` has an instance
    retired by who holds the keys, where the target has no control plane.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        payloads: Sequence[Payload],
        *,
        worker: str,
        timeout_s: float,
        on_sample: Callable[[Sample], None],
        request_event: Callable[..., object] | None = None,
        credentials: Credentials | None = None,
        budget: Budget | None = None,
        force_cold_start: Callable[[str], bool] = lambda target: False,
    ) -> None:
        self.origin_s = perf_counter()
        self._worker = worker
        self._payloads = payloads
        self._on_sample = on_sample
        self._request_event = request_event
        self._credentials = credentials
        self._force_cold_start = force_cold_start
        self._headers: dict[int, dict[str, str]] = {}
        self.budget = budget
        self._first_answers: dict[str, float] = {}
        self._endpoints = {target.name: HttpEndpoint(target.url, timeout_s=timeout_s) for target in targets}
        self._id_headers = {target.name: id_header_of(target.cloud) for target in targets}
        self._controls = {
            target.name: HttpEndpoint(f"{target.control.rstrip('/')}/retire", timeout_s=RETIRE_WITHIN_S)
            for target in targets
            if target.control
        }

    def prepare(self, arrival: Arrival) -> None:
        """Make the headers that open a closed target, ahead of the timed part; they hold for some minutes."""
        if self._credentials is not None:
            body = self._payloads[arrival.image % len(self._payloads)].body
            url = self._endpoints[arrival.target].url
            self._headers[arrival.index] = self._credentials.headers(arrival.target, url=url, body=body)

    def admit(self, arrival: Arrival) -> bool:
        """Whether the budget lets it be sent. What is admitted has to be sent or dropped."""
        return self.budget is None or self.budget.reserve(arrival.index, arrival.target)

    def send(self, arrival: Arrival, due_s: float) -> Sample:
        """Send `arrival`, due at that `perf_counter` second; keep and return its sample."""
        planned = self._planned(arrival, due_s)
        payload = self._payloads[arrival.image % len(self._payloads)]
        if self._credentials is not None and arrival.index not in self._headers:
            self.prepare(arrival)  # late, but a closed target never gets a request without its key
        headers = self._headers.pop(arrival.index, None)
        sent_s = perf_counter()
        try:
            answer = self._endpoints[arrival.target].post(
                payload.body, content_type=payload.content_type, headers=headers
            )
            id_header = self._id_headers[arrival.target]
            sample = instance_fields(planned, answer, first_answers=self._first_answers, id_header=id_header)
            if sample.instance is not None:
                self._first_answers.setdefault(sample.instance, answer.done_s)
        except TimeoutError as error:
            sample = planned.to_sample("timeout", sent_s=sent_s - planned.origin_s, error=str(error))
        except FAILURES as error:
            sample = planned.to_sample("failed", sent_s=sent_s - planned.origin_s, error=failure_name(error))
        self._record(sample)
        return sample

    def drop(self, arrival: Arrival, due_s: float) -> None:
        """Record that `arrival` was not sent."""
        self._headers.pop(arrival.index, None)
        error = "retire_failed" if arrival.stratum == "forced" else "in_flight_limit"
        self._record(self._planned(arrival, due_s).to_sample("dropped", error=error))

    def force_cold_start(self, arrival: Arrival) -> bool:
        """Have the target's instances retired, so that its next request starts a new one."""
        if arrival.target not in self._controls:
            return self._force_cold_start(arrival.target)
        try:
            return self._controls[arrival.target].post(b"", content_type="application/json").status < 300
        except FAILURES:
            return False

    def close(self) -> None:
        """Close idle connections."""
        for endpoint in (*self._endpoints.values(), *self._controls.values()):
            endpoint.close()

    def _planned(self, arrival: Arrival, due_s: float) -> PlannedRequest:
        return PlannedRequest(
            index=arrival.index,
            target=arrival.target,
            worker=self._worker,
            stratum=arrival.stratum,
            intended_s=due_s - self.origin_s,
            origin_s=self.origin_s,
        )

    def _record(self, sample: Sample) -> None:
        if self.budget is not None:
            self.budget.settle(sample)
        self._on_sample(sample)
        if self._request_event is not None:
            self._request_event(**locust_event(sample))


def id_header_of(cloud: str) -> str | None:
    """The header in which a cloud's answers name the request; None where they do not, or the cloud is not ours."""
    if cloud not in contract.clouds():
        return None
    found = contract.load(cloud).data["platform"].get("request_id_header")
    return None if found is None else str(found)


def locust_event(sample: Sample) -> dict[str, Any]:
    """The sample as Locust's page shows it: cold apart from warm, the time from the intended send."""
    failed = None if sample.outcome == "ok" else RuntimeError(f"{sample.outcome}: {sample.error}")
    waited_ms = sample.latency_ms if sample.done_s is not None else 0.0
    return {
        "request_type": sample.state or sample.outcome,
        "name": sample.target,
        "response_time": waited_ms,
        "response_length": sample.response_bytes,
        "exception": failed,
        "context": {},
    }


def failure_name(error: BaseException) -> str:
    """A stable word for a request that got no answer."""
    if isinstance(error, ConnectionRefusedError):
        return "connection_refused"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "connection_reset"
    return f"no_answer: {type(error).__name__}: {error}"
