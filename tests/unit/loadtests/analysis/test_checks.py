from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from loadtests.analysis.checks import Check, check, failed
from loadtests.analysis.summary import summarise
from loadtests.plan.targets import Target
from loadtests.record.run_data import RunData
from loadtests.record.sample import Sample
from loadtests.record.store import Event

AWS = Target("aws", "aws", "on-demand", "us-east-1", 1024, "http://127.0.0.1:1/", control="http://127.0.0.1:2")
GCP = Target("gcp", "gcp", "cloud-run-request", "us-central1", 1024, "http://127.0.0.1:3/")


def pulses(*, worker: str = "w1", cpu: float = 30.0, machine: float = 50.0, jump_s: float = 0.0) -> list[Event]:
    documents = [
        {"cpu_percent": cpu, "machine_percent": machine, "wall_minus_steady_s": 1e9 + (jump_s if second > 5 else 0)}
        for second in range(10)
    ]
    return [Event(float(second), "pulse", worker, document) for second, document in enumerate(documents)]


def steady(target: Target, *, n: int = 400, drift: float = 0.0, spread: float = 0.02, seed: int = 1) -> list[Sample]:
    random = np.random.default_rng([seed, n])
    level = 20 * (1 + drift * np.arange(n) / n)
    latency_ms = level * random.lognormal(0, 0.1, n)
    inference_ms = 8 * random.lognormal(0, spread, n)
    return [
        Sample(
            i, target.name, "w1", "steady", i * 0.1, i * 0.1 + 0.0004, i * 0.1 + float(latency_ms[i]) / 1000, "ok",
            state="warm", instance=f"{target.name}-1", inference_ms=float(inference_ms[i]), model="clothes 1",
        )
        for i in range(n)
    ]  # fmt: skip


def cold(target: Target, *, n: int = 10) -> list[Sample]:
    return [
        Sample(i, target.name, "w1", "forced", -1.0 - i, -1.0 - i, -0.5 - i, "ok", state="cold", model="clothes 1")
        for i in range(n)
    ]


CALIBRATED = Event(98.0, "calibration", "", {"floor": {"p50_ms": 0.9}})
ENDING = [CALIBRATED, Event(99.0, "finished")]


def record(samples: Sequence[Sample], *, events: Sequence[Event] | None = None, planned: int = 0) -> RunData:
    chosen = [*pulses(), *ENDING] if events is None else events
    targets = [AWS, GCP] if any(sample.target == "gcp" for sample in samples) else [AWS]
    return RunData({"targets": [each.document() for each in targets]}, targets, samples, chosen, planned)


GOOD = [*cold(AWS), *steady(AWS), *cold(GCP), *steady(GCP, seed=2)]


def checks_of(run: RunData) -> dict[str, Check]:
    summary = summarise(run.header, run.targets, run.samples, {}, images=run.images)
    return {each.name: each for each in check(run, summary)}


def test_a_good_run_passes_every_check() -> None:
    found = checks_of(record(GOOD, planned=len(GOOD)))
    assert {each.state for each in found.values()} == {"passed"}, failed(list(found.values()))
    assert not any(each.remedy for each in found.values())


@pytest.mark.parametrize(
    ("name", "run", "finding"),
    [
        ("client-cpu", record(GOOD, events=[*pulses(cpu=82), Event(99, "finished")]), "82 %"),
        ("machine", record(GOOD, events=[*pulses(machine=97), Event(99, "finished")]), "97 %"),
        (
            "client-floor",
            record(GOOD, events=[*pulses(), replace(CALIBRATED, document={"floor": {"p50_ms": 5}}), *ENDING[1:]]),
            "5.00 ms",
        ),
        ("clock", record(GOOD, events=[*pulses(jump_s=-0.2), Event(99, "finished")]), "200 ms"),
        ("complete", record(GOOD, events=pulses()), "did not end"),
        ("complete", record(GOOD, events=[*pulses(), Event(99, "interrupted")]), "was interrupted"),
        ("complete", record(GOOD, planned=len(GOOD) + 7), "7 planned requests are missing"),
        ("errors", record([*GOOD[:-9], *(replace(each, outcome="timeout") for each in GOOD[-9:])]), "of gcp's"),
        (
            "slip",
            record([*GOOD[:-40], *(replace(each, sent_s=each.intended_s + 0.3) for each in GOOD[-40:])]),
            "300 ms",
        ),
        ("samples", record([*cold(AWS), *steady(AWS, n=367)]), "aws warm p99_ms: not estimable (n=367, needs 368)"),
        ("samples", record([*cold(AWS, n=5), *steady(AWS)]), "aws cold p50_ms: not estimable (n=5, needs 6)"),
        ("drift", record([*cold(AWS), *steady(AWS, drift=0.5)]), "moved by +"),
        ("noise", record([*cold(AWS), *steady(AWS, spread=0.4)]), "inference on aws varies"),
        ("alike", record([*GOOD[:-1], replace(GOOD[-1], model="clothes 2")]), "models: clothes 1, clothes 2"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_run_fails_the_check_that_is_about_it_and_says_what_to_do(
    name: str, run: RunData, finding: str
) -> None:
    found = checks_of(run)[name]
    assert found.state == "failed"
    assert finding in found.finding
    assert found.remedy


def test_instances_that_differ_without_a_trend_are_no_drift() -> None:
    """Two levels in turn; requests alone would call the first third unlike the last."""
    samples = []
    for each in steady(AWS):
        place = each.index // 40
        slower_s = 0.006 if place in (0, 3, 4, 7) else 0.0
        samples.append(replace(each, instance=f"i{place}", done_s=(each.done_s or 0.0) + slower_s))
    found = checks_of(record([*cold(AWS), *samples]))["drift"]
    assert found.state == "passed", found.finding


def test_a_size_below_one_vcpu_is_not_called_noise_of_the_machine() -> None:
    small = replace(AWS, memory_mb=512, cpu_share="enforced (cgroup v1)")
    run = replace(record([*cold(AWS), *steady(AWS, spread=0.4)]), targets=[small])
    found = checks_of(run)["noise"]
    assert found.state == "unknown"
    assert "below one vCPU the CPU quota stops the function, so aws cannot tell" in found.finding


def test_a_cpu_share_that_nobody_stated_is_unknown_and_unlike_nothing() -> None:
    foreign = Target("gcp", "gcp", "cloud-run-request", "us-central1", 1024, "http://127.0.0.1:3/")
    assert foreign.cpu_share == "unknown"
    local = replace(AWS, cpu_share="enforced (cgroup v2)")
    found = checks_of(replace(record(GOOD), targets=[local, foreign]))["alike"]
    assert found.state == "passed", found.finding


def test_different_memory_sizes_are_told() -> None:
    small = replace(GCP, memory_mb=256)
    run = replace(record(GOOD), targets=[AWS, small])
    assert checks_of(run)["alike"].finding == "memory sizes, MB: 1024, 256"


def test_a_lost_worker_is_named_with_what_it_had_not_delivered() -> None:
    lost = Event(50.0, "worker-lost", "w2", {"undelivered": 12})
    found = checks_of(record(GOOD, events=[*pulses(), lost, Event(99.0, "finished")]))["complete"]
    assert found.state == "failed"
    assert "lost worker w2 had sent up to 12 that were not delivered" in found.finding


def test_the_busiest_worker_decides() -> None:
    events = [*pulses(worker="calm", cpu=10), *pulses(worker="busy", cpu=90), Event(99.0, "finished")]
    assert "worker busy" in checks_of(record(GOOD, events=events))["client-cpu"].finding


def test_what_cannot_be_judged_is_unknown_and_not_passed() -> None:
    found = checks_of(record(GOOD, events=[Event(99.0, "finished")]))
    assert {name for name, each in found.items() if each.state == "unknown"} == {
        "client-cpu",
        "client-floor",
        "clock",
        "machine",
    }


def test_a_run_without_any_sample_fails_and_does_not_crash() -> None:
    found = checks_of(RunData({}, [AWS], [], []))
    assert {"complete", "errors"} == {each.name for each in failed(list(found.values()))}


def test_probes_before_the_schedule_do_not_stand_for_missing_requests() -> None:
    probe = replace(GOOD[-1], index=-1, worker="probe", stratum="warm-up")
    assert (
        "1 planned requests are missing"
        in checks_of(record([*GOOD[:-1], probe], planned=len(GOOD)))["complete"].finding
    )


def test_a_run_that_knew_enough_early_is_complete_and_says_why() -> None:
    enough = Event(40.0, "enough", "", {"reason": "every p95 is known", "unsent": 90})
    run = record(GOOD, events=[*pulses(), enough, Event(99.0, "finished")], planned=len(GOOD) + 80)
    found = checks_of(run)["complete"]
    assert (found.state, found.finding) == (
        "passed",
        "the run finished before its schedule's end: every p95 is known",
    )


def test_percentiles_that_the_load_was_not_for_are_not_asked_for() -> None:
    assert checks_of(record(steady(AWS)))["samples"].state == "passed"
    assert checks_of(record(cold(AWS)))["samples"].state == "passed"


def test_a_calibration_that_is_kept_after_the_run_does_not_hide_its_end() -> None:
    events = [*pulses(), Event(99.0, "finished"), replace(CALIBRATED, at_s=200.0)]
    found = checks_of(record(GOOD, events=events))
    assert (found["complete"].state, found["client-floor"].state) == ("passed", "passed")
