"""Cold or warm from all answers of an instance together, on made-up clocks with a known truth."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.record.cold_state import classify_samples
from loadtests.record.sample import Sample

READY_S = 100.0  # on the client's clock


def exchange(
    number: int,
    sent_s: float,
    *,
    started_s: float,
    way_out_s: float = 0.001,
    way_back_s: float = 0.001,
    handled_s: float = 0.005,
    worker: str = "w",
    connect_ms: float | None = None,
) -> Sample:
    """A request sent at `sent_s` whose handler started at `started_s`, at least `way_out_s` later."""
    assert started_s >= sent_s + way_out_s
    return Sample(
        index=number,
        target="t",
        worker=worker,
        stratum="steady",
        intended_s=sent_s,
        sent_s=sent_s,
        done_s=started_s + handled_s + way_back_s,
        outcome="ok",
        instance="i",
        request_number=number,
        since_ready_ms=(started_s - READY_S) * 1000,
        total_ms=handled_s * 1000,
        connect_ms=connect_ms,
    )


def states(*samples: Sample) -> list[str | None]:
    return [sample.state for sample in classify_samples(samples)]


def test_a_request_sent_before_the_instance_was_ready_is_cold_and_the_next_is_warm() -> None:
    waited = exchange(1, 99.8, started_s=100.001)
    later = exchange(2, 100.5, started_s=100.502)
    assert states(waited, later) == ["cold", "warm"]


def test_the_first_request_of_an_instance_that_was_ready_is_pre_initialised() -> None:
    assert states(exchange(1, 130.0, started_s=130.002), exchange(2, 131.0, started_s=131.002)) == [
        "pre-initialised",
        "warm",
    ]


def test_a_slow_way_back_makes_no_request_cold_when_other_answers_of_the_instance_were_quick() -> None:
    slow = exchange(1, 100.05, started_s=100.06, way_back_s=0.3)
    assert states(slow) == ["cold"], "alone it could have been sent before"
    quick = exchange(2, 101.0, started_s=101.002)
    assert states(slow, quick) == ["pre-initialised", "warm"]


def test_a_second_request_that_waited_for_a_concurrent_instance_is_cold_too() -> None:
    first = exchange(1, 99.5, started_s=100.002)
    second = exchange(2, 99.6, started_s=100.010)
    third = exchange(3, 100.2, started_s=100.203)
    assert states(first, second, third) == ["cold", "cold", "warm"]


def test_a_queue_behind_a_ready_instance_is_no_cold_start() -> None:
    ready = exchange(1, 100.5, started_s=100.502, handled_s=3.0)
    queued = exchange(2, 100.6, started_s=103.51)
    assert states(ready, queued) == ["pre-initialised", "warm"]


def test_what_the_platform_needs_to_notice_counts_as_waiting() -> None:
    """The first request, waiting, got in 20 ms after "ready": so did the one that was sent in between."""
    first = exchange(1, 99.0, started_s=100.020)
    between = exchange(2, 100.012, started_s=100.030)
    after = exchange(3, 100.5, started_s=100.502)
    assert states(first, between, after) == ["cold", "cold", "warm"]


def test_the_way_over_a_real_network_is_taken_off() -> None:
    """50 ms each way: a request that was sent shortly before "ready" arrives after it."""
    far = partial(exchange, way_out_s=0.05, way_back_s=0.05, connect_ms=100.0)
    opened = replace(far(1, 99.86, started_s=100.01), since_ready_ms=10.0)
    later = far(2, 101.0, started_s=101.15)
    assert states(opened, later) == ["pre-initialised", "warm"]


def test_each_workers_clock_is_taken_for_itself() -> None:
    here = [exchange(1, 99.8, started_s=100.001), exchange(3, 100.6, started_s=100.602)]
    shifted = exchange(2, 100.3, started_s=100.302, worker="other")
    assert shifted.sent_s is not None
    assert shifted.done_s is not None
    there = replace(shifted, sent_s=shifted.sent_s - 5000, done_s=shifted.done_s - 5000)
    assert states(*here, there) == ["cold", "warm", "warm"]


def test_a_report_line_without_init_duration_means_that_the_instance_had_served_before() -> None:
    report = "REPORT RequestId: 1 Duration: 5.00 ms Billed Duration: 5 ms Memory Size: 1024 MB"
    queued = exchange(2, 99.9, started_s=100.02)
    assert states(queued) == ["cold"]
    assert states(replace(queued, platform=report)) == ["warm"]
    assert states(replace(queued, platform=f"{report} Init Duration: 90.00 ms")) == ["cold"]


def test_samples_without_evidence_stay_as_they_were_read() -> None:
    dropped = Sample(1, "t", "w", "steady", 1.0, None, None, "dropped")
    silent = replace(exchange(1, 99.0, started_s=100.1), since_ready_ms=None, state=None)
    assert classify_samples([dropped, silent]) == [dropped, silent]


@settings(max_examples=200, deadline=None)
@given(
    before=st.lists(st.floats(0.002, 30.0), max_size=4),
    after=st.lists(st.floats(0.05, 30.0), min_size=1, max_size=6),
    back=st.lists(st.floats(0.0002, 0.5), min_size=10, max_size=10),
)
def test_every_request_is_told_rightly_when_one_answer_was_quick(
    before: list[float], after: list[float], back: list[float]
) -> None:
    """Whatever the ways back were: requests sent 2 ms before ready or 50 ms after it are told apart."""
    waiting = [(READY_S - ahead, READY_S + 0.001 + 0.002 * place) for place, ahead in enumerate(sorted(before)[::-1])]
    others = [(READY_S + behind, READY_S + behind + 0.002) for behind in sorted(after)]
    samples = [
        exchange(number, sent_s, started_s=started_s, way_back_s=back[number - 1])
        for number, (sent_s, started_s) in enumerate([*waiting, *others], start=1)
    ]
    quick_s = READY_S + 100
    samples.append(exchange(len(samples) + 1, quick_s, started_s=quick_s + 0.001, way_back_s=0.0002))
    settled = classify_samples(samples)
    assert [sample.state == "cold" for sample in settled] == [True] * len(waiting) + [False] * (len(others) + 1)
