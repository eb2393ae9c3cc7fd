"""Measure the load test itself against a null server: overhead, slip, breaking rate and accuracy.

The null server answers after known delays and stalls at known times, so that the right answer can be computed:
what is measured on top belongs to the client. Every figure comes from a run of the real load test.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadtests.launch import RunRequest, run
from loadtests.plan.scenarios import PROBES
from loadtests.plan.targets import Target
from loadtests.record.store import Event, open_store
from loadtests.selftest.floor import PIXEL
from loadtests.selftest.null_server import Behaviour, Stall, null_server

if TYPE_CHECKING:
    from loadtests.launch import RunProgress
    from loadtests.record.sample import Sample

SLIP_MAX_MS = 5.0  # p99 of actual minus intended send: above it the client is too slow for the rate


class CalibrationFailed(Exception):
    """A run against the null server did not finish; the message is the run's."""


@dataclass(frozen=True, slots=True)
class ClientOverhead:
    """What the client adds to a server that answers at once, at `rate` a second."""

    rate: float
    requests: int
    p50_ms: float
    p99_ms: float
    slip_p50_ms: float
    slip_p99_ms: float
    cpu_percent: float | None


@dataclass(frozen=True, slots=True)
class StallAccuracy:
    """Percentiles of a run through a stall, beside those that follow from the schedule and the stall alone."""

    rate: float
    stall_s: float
    workers: int
    requests: int
    p95_ms: float
    p95_true_ms: float
    p99_ms: float
    p99_true_ms: float

    @property
    def error(self) -> float:
        """The larger relative error of the two."""
        pairs = ((self.p95_ms, self.p95_true_ms), (self.p99_ms, self.p99_true_ms))
        return max(abs(measured - true) / true for measured, true in pairs)


@dataclass(frozen=True, slots=True)
class Calibration:
    """All of it; `breaks_at` is the first rate of a rising series whose slip p99 is above SLIP_MAX_MS, or None."""

    floor: ClientOverhead
    rates: tuple[ClientOverhead, ...]
    breaks_at: float | None
    honesty: StallAccuracy

    def document(self) -> dict[str, Any]:
        """As the run's store keeps it, in an event "calibration"."""
        return {**asdict(self), "rates": [asdict(each) for each in self.rates], "error": self.honesty.error}


def calibrate(
    folder: Path,
    *,
    rate: float = 200.0,
    seconds: float = 10.0,
    workers: int = 1,
    on_progress: Callable[[RunProgress], None] | None = None,
) -> Calibration:
    """Run all three measurements; their runs are kept below `folder`. Raises CalibrationFailed."""
    bench = CalibrationRuns(folder, workers=workers, on_progress=on_progress)
    floor = bench.floor(rate, seconds=seconds)
    rates = bench.rising(rate, seconds=min(seconds, 4.0))
    breaks_at = next((each.rate for each in rates if each.slip_p99_ms > SLIP_MAX_MS), None)
    honesty = bench.honesty(rate, seconds=seconds, stall_s=seconds / 5)
    return Calibration(floor, rates, breaks_at, honesty)


def keep(run: Path, calibration: Calibration) -> None:
    """Store `calibration` in a run that is there, for its checks. Raises StoreError."""
    with open_store(run, writable=True) as store:
        at_s = max((event.at_s for event in store.events()), default=0.0)
        store.record(Event(at_s, "calibration", document=calibration.document()))


class CalibrationRuns:
    """Runs the load test against null servers, with a folder for each run."""

    def __init__(
        self, folder: Path, *, workers: int = 1, on_progress: Callable[[RunProgress], None] | None = None
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._on_progress = on_progress
        self._runs = 0
        self._server_began_s = 0.0

    def floor(self, rate: float, *, seconds: float) -> ClientOverhead:
        """The client's own latency and slip at `rate`."""
        samples, events = self._play(rate, seconds, server=())
        answered = [sample for sample in samples if sample.outcome == "ok"]
        if not answered:
            raise CalibrationFailed(f"not one of {len(samples)} requests was answered by the null server")
        latency_ms = np.array([sample.latency_ms for sample in answered], dtype=float)
        slip_ms = np.array([sample.slip_ms for sample in answered], dtype=float)
        cpu = [event.document["cpu_percent"] for event in events if event.kind == "pulse"]
        return ClientOverhead(
            rate=rate,
            requests=len(answered),
            p50_ms=float(np.percentile(latency_ms, 50)),
            p99_ms=float(np.percentile(latency_ms, 99)),
            slip_p50_ms=float(np.percentile(slip_ms, 50)),
            slip_p99_ms=float(np.percentile(slip_ms, 99)),
            cpu_percent=float(np.mean(cpu)) if cpu else None,
        )

    def rising(self, rate: float, *, seconds: float) -> tuple[ClientOverhead, ...]:
        """Twice the rate each time, until the slip is too large; at most eight times."""
        found: list[ClientOverhead] = []
        while len(found) < 8 and not (found and found[-1].slip_p99_ms > SLIP_MAX_MS):
            found.append(self.floor(rate * 2 ** len(found), seconds=seconds))
        return tuple(found)

    def honesty(self, rate: float, *, seconds: float, stall_s: float) -> StallAccuracy:
        """A stall of `stall_s` in the middle: what the run says of it, and what is true."""
        stall = Stall(seconds / 2, stall_s)
        samples, _ = self._play(rate, seconds, server=("--stall", f"{stall.at_s}+{stall.for_s}"))
        true_ms = self._true_ms(samples, Behaviour(stalls=(stall,)))
        measured_ms = [float("inf") if sample.latency_ms is None else sample.latency_ms for sample in samples]
        (p95_ms, p99_ms), (p95_true_ms, p99_true_ms) = np.percentile([measured_ms, true_ms], (95, 99), axis=1).T
        return StallAccuracy(
            rate=rate,
            stall_s=stall_s,
            workers=self._workers,
            requests=len(samples),
            p95_ms=float(p95_ms),
            p95_true_ms=float(p95_true_ms),
            p99_ms=float(p99_ms),
            p99_true_ms=float(p99_true_ms),
        )

    def _true_ms(self, samples: Sequence[Sample], behaviour: Behaviour) -> list[float]:
        """What every request would have taken from its intended time, with a client that costs nothing."""
        began_s = self._server_began_s
        return [behaviour.answer_after_s(sample.intended_s - began_s) * 1000 for sample in samples]

    def _play(self, rate: float, seconds: float, *, server: Sequence[str]) -> tuple[list[Sample], list[Event]]:
        """One run at a constant rate; its samples without the probes."""
        self._runs += 1
        folder = self._folder / f"{self._runs:02d}-{rate:g}-per-second"
        images = self._folder / "images"
        images.mkdir(parents=True, exist_ok=True)
        (images / "pixel.png").write_bytes(PIXEL.body)
        scenario = self._folder / "calibration.toml"
        scenario.write_text(f'[[phases]]\nkind = "constant"\nrate = {rate}\ncount = {int(rate * seconds)}\n')
        with null_server("--skip", str(PROBES), *server) as url:
            target = Target("null", "null", "none", "local", 1, url)
            settings = {"in-flight-max": str(int(rate * seconds))}
            plan = RunRequest(
                folder, [target], images, scenario=str(scenario), workers=self._workers, settings=settings
            )
            ended = run(plan, on_progress=self._on_progress)
        if ended.exit_code:
            raise CalibrationFailed(ended.message)
        with open_store(folder) as store:
            samples, events = store.samples(), store.events()
        scheduled = [sample for sample in samples if sample.index >= 0]
        self._server_began_s = min(sample.sent_s for sample in scheduled if sample.sent_s is not None)
        return scheduled, events
