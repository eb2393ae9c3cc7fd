"""The report of a made-up run, word for word. TRIPOINT_UPDATE_GOLDEN=1 writes the file anew."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from scipy import stats

from loadtests.analysis.checks import check
from loadtests.analysis.summary import summarise
from loadtests.cost.measured import TargetCost
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.run_data import RunData
from loadtests.record.sample import Sample
from loadtests.record.store import Event
from loadtests.report.document import compose
from loadtests.report.markdown import render_markdown
from loadtests.report.sections.context import ReportContext
from loadtests.stats.estimate import Estimate

OF_THE_BOOK = ("cost", "method")  # they hold today's prices
GOLDEN = Path(__file__).with_name("report.md")
NAMES = {"aws": ("on-demand", 20.0), "azure": ("flex-consumption", 26.0), "gcp": ("cloud-run-request", 20.1)}
PRIME = 421  # 2 is a primitive root of it: its powers visit 1..420 in an order without a pattern


def made_up_run() -> RunData:
    """No random numbers: every latency is a quantile of a lognormal law, in an order that looks mixed."""
    targets = [
        Target(name, name, plan, "local", 1024, f"http://127.0.0.1:{port}/", control=f"http://127.0.0.1:{port + 1}/")
        for port, (name, (plan, _)) in enumerate(NAMES.items(), start=8001)
    ]
    made = (each for name in NAMES for each in (*cold_of(name), *warm_of(name)))
    samples = [replace(each, index=index) for index, each in enumerate(made)]
    samples[-1] = replace(samples[-1], outcome="timeout", done_s=None, state=None)
    header = {
        "run": "made-up",
        "started_at": "2026-11-21T09:00:00+00:00",
        "command": "tripoint compare --scenario quick",
        "scenario": "quick",
        "loop": "open",
        "machine": {"cpu": "none", "cores": 2},
        "targets": [each.document() for each in targets],
    }
    pulse = Event(1.0, "pulse", "w1", {"cpu_percent": 85.0, "machine_percent": 60.0, "wall_minus_steady_s": 0.0})
    return RunData(header, targets, samples, [pulse, replace(pulse, at_s=2.0), Event(9.0, "finished")], len(samples))


def latency_ms(rank: int, count: int, *, around_ms: float) -> float:
    return float(stats.lognorm(0.2, scale=around_ms).ppf(rank / (count + 1)))


def warm_of(name: str) -> list[Sample]:
    samples = []
    for place in range(PRIME - 1):
        number = list(NAMES).index(name)
        at_s = place / 10 + number / 50
        latency = latency_ms(pow(2, place + 140 * number, PRIME), PRIME - 1, around_ms=NAMES[name][1])
        samples.append(
            Sample(
                0, name, "w1", "warm-up" if place < 20 else "steady", at_s, at_s + 0.0003, at_s + latency / 1000,
                "ok", status=200, state="warm", instance=f"{name}-{place // 42}", inference_ms=8 + place % 3 / 10,
                model="clothes 1.0.0",
            )
        )  # fmt: skip
    return samples


def cold_of(name: str) -> list[Sample]:
    latencies = [latency_ms(pow(2, place, 11), 10, around_ms=25 * NAMES[name][1]) for place in range(10)]
    return [
        Sample(
            0, name, "w1", "forced", -30.0 + place, -30.0 + place, -30.0 + place + latency / 1000, "ok",
            status=200, state="cold", instance=f"{name}-cold-{place}", model="clothes 1.0.0",
        )
        for place, latency in enumerate(latencies)
    ]  # fmt: skip


def test_the_report_of_a_made_up_run_reads_as_agreed() -> None:
    record = made_up_run()
    billed = Estimate(n=400, value=21.0)
    costs = {
        "aws": TargetCost("aws", Estimate(400, 0.62, 0.6, 0.65), Estimate(400, 0.4, 0.39, 0.41), billed),
        "gcp": TargetCost("gcp", Estimate(400, 1.9), Estimate(400, 1.1), billed, assumptions=("10,000,000 a month",)),
    }
    summary = summarise(record.header, record.targets, record.samples, costs)
    context = ReportContext(replace(summary, checks=check(record, summary)), record, bundled_book())
    document = compose(context)
    fixed = [section for section in document.sections if section.name not in OF_THE_BOOK]
    text = render_markdown(replace(document, sections=fixed))
    if os.environ.get("TRIPOINT_UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8"), "set TRIPOINT_UPDATE_GOLDEN=1 when the change is meant"
