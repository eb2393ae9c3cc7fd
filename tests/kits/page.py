"""Made-up runs for the tests of the page: real samples in a real store, latencies from a fixed seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loadtests.cost.measured import cost_of
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.run_data import RunData
from loadtests.record.sample import Sample
from loadtests.record.store import FILE_NAME, Event, Store
from loadtests.report.build import summarise_run_data
from loadtests.report.sections.context import ReportContext

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.sample import Outcome, State

PLANS = {"aws": ("on-demand", 1769), "azure": ("flex-consumption", 2048), "gcp": ("cloud-run-request", 2048)}
HEADER = {
    "started_at": "2026-11-21T09:00:00+00:00",
    "command": "tripoint compare --scenario quick",
    "scenario": "quick",
    "seed": 1,
    "loop": "open",
    "model": "clothes 1.0.0",
    "python": "3.11.7",
    "machine": {"cpu": "none", "cores": 2},
}


def target(name: str, cloud: str | None = None, *, memory_mb: int | None = None) -> Target:
    """A local target of a cloud; by its name when no cloud is given."""
    plan, size_mb = PLANS[cloud or name]
    return Target(
        name, cloud or name, plan, "local", memory_mb or size_mb, "http://127.0.0.1:1/",
        control="http://127.0.0.1:2/", cpu_share="enforced",
    )  # fmt: skip


class Load:
    """Adds samples of one target after another; `record` is then the run."""

    def __init__(self, targets: Sequence[Target], *, seed: int = 7, header: dict[str, Any] | None = None) -> None:
        self.targets = list(targets)
        self.samples: list[Sample] = []
        self.header = {**HEADER, **(header or {}), "targets": [each.document() for each in targets]}
        self._random = np.random.default_rng(seed)

    def warm(self, name: str, count: int, *, around_ms: float, stratum: Stratum = "steady") -> Load:
        """Answered warm requests, one every 50 ms, on eight instances."""
        for place, latency_ms in enumerate(self._latencies(count, around_ms)):
            sample = self._sample(name, stratum, 20 + place / 20, ms=latency_ms, state="warm")
            self._add(sample, instance=f"{name}-{place % 8}", request_number=2 + place // 8, total_ms=latency_ms - 1)
        return self

    def cold(self, name: str, count: int, *, around_ms: float, stratum: Stratum = "forced") -> Load:
        """Answered cold starts, one a second, each with its parts."""
        for place, latency_ms in enumerate(self._latencies(count, around_ms)):
            sample = self._sample(name, stratum, float(place), ms=latency_ms, state="cold")
            self._add(
                sample, instance=f"{name}-{stratum}-{place}", request_number=1, connect_ms=0.2, answer_ms=0.1,
                since_ready_ms=2.0, process_start_unix_s=1000.0, init_start_unix_s=1000.0 + latency_ms / 2500,
                init_ms=latency_ms * 0.3, imports_ms=latency_ms * 0.2, model_load_ms=latency_ms * 0.08,
                total_ms=9.0, decode_ms=2.0, preprocess_ms=1.0, inference_ms=5.0,
            )  # fmt: skip
        return self

    def bad(self, name: str, count: int, outcome: Outcome, *, stratum: Stratum = "steady") -> Load:
        """Requests that came to nothing."""
        for place in range(count):
            sample = self._sample(name, stratum, 20.03 + place / 20, ms=30.0, state=None)
            lost = replace(sample, outcome=outcome, done_s=sample.done_s if outcome == "failed" else None)
            self._add(replace(lost, sent_s=None) if outcome == "dropped" else lost, status=None)
        return self

    def three_kinds(self, name: str, *, warm_ms: float, cold_ms: float, warm: int = 400) -> Load:
        """A target as `tripoint compare` would measure it, with natural and burst cold starts too."""
        self.cold(name, 10, around_ms=cold_ms).cold(name, 8, around_ms=1.4 * cold_ms, stratum="natural")
        return self.cold(name, 7, around_ms=1.2 * cold_ms, stratum="burst").warm(name, warm, around_ms=warm_ms)

    def record(self) -> RunData:
        """The run so far, with its end."""
        return RunData(self.header, self.targets, self.samples, [Event(60.0, "finished")], len(self.samples))

    def context(self) -> ReportContext:
        """What the page is made from."""
        record = self.record()
        return ReportContext(summarise_run_data(record), record, bundled_book())

    def stored(self, folder: Path) -> Path:
        """The run's folder, with its store."""
        with Store.create(folder / FILE_NAME, self.header) as store:
            store.plan(
                Arrival(each.index, each.intended_s, each.target, each.stratum, each.index % 3)
                for each in self.samples
            )
            store.append(self.samples)
            store.record(Event(60.0, "finished"))
        return folder

    def _latencies(self, count: int, around_ms: float) -> list[float]:
        return [float(each) for each in self._random.lognormal(np.log(around_ms), 0.2, count)]

    def _sample(self, name: str, stratum: Stratum, at_s: float, *, ms: float, state: State | None) -> Sample:
        done_s = at_s + ms / 1000
        return Sample(0, name, "w1", stratum, at_s, at_s + 0.0002, done_s, "ok", status=200, state=state)

    def _add(self, sample: Sample, **more: Any) -> None:
        facts = {"model": "clothes 1.0.0", "request_bytes": 20_000, "response_bytes": 300, **more}
        self.samples.append(replace(sample, index=len(self.samples), **facts))


def three_clouds(*, warm: int = 400) -> Load:
    """aws is faster warm, azure and gcp are alike; gcp starts fastest, aws and azure are alike."""
    load = Load([target("aws"), target("azure"), target("gcp")])
    load.three_kinds("aws", warm_ms=12, cold_ms=400, warm=warm).three_kinds(
        "azure", warm_ms=20, cold_ms=400, warm=warm
    )
    return load.three_kinds("gcp", warm_ms=20, cold_ms=200, warm=warm)


def costs_of(context: ReportContext, *, volume: int) -> dict[str, Any]:
    """The cost of each target at another volume, by the cost module's own way."""
    record = context.record
    return {each.name: cost_of(each, record.samples, context.book, volume=volume) for each in record.targets}
