from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.analysis.waterfall import mean_waterfall, total_ms, waterfall
from loadtests.record.sample import Sample

COLD = Sample(
    0,
    "aws",
    "w1",
    "forced",
    intended_s=10.0,
    sent_s=10.002,
    done_s=10.802,
    outcome="ok",
    state="cold",
    connect_ms=20.0,
    tls_ms=30.0,
    answer_ms=1.0,
    request_number=1,
    since_ready_ms=2.0,
    process_start_unix_s=1000.0,
    init_start_unix_s=1000.1,
    init_ms=300.0,
    imports_ms=200.0,
    model_load_ms=80.0,
    decode_ms=5.0,
    preprocess_ms=4.0,
    inference_ms=30.0,
    total_ms=40.0,
)


def parts(sample: Sample) -> dict[str, float]:
    return {part.name: round(part.ms, 6) for part in waterfall(sample)}


def test_a_cold_start_is_taken_apart_and_adds_up() -> None:
    assert parts(COLD) == {
        "late send": 2.0,
        "connect": 20.0,
        "tls": 30.0,
        "platform": 307.0,
        "runtime start": 100.0,
        "imports": 200.0,
        "model load": 80.0,
        "rest of init": 20.0,
        "hand-over": 2.0,
        "decode": 5.0,
        "preprocess": 4.0,
        "first inference": 30.0,
        "rest of handling": 1.0,
        "answer": 1.0,
    }
    assert COLD.latency_ms == pytest.approx(total_ms(waterfall(COLD)))


def test_without_the_process_start_the_platform_is_not_told_apart_from_the_runtime() -> None:
    found = parts(replace(COLD, process_start_unix_s=None))
    assert found["platform and runtime start"] == 407.0
    assert "platform" not in found
    assert "runtime start" not in found


def test_a_start_that_began_before_the_request_is_one_part() -> None:
    early = replace(COLD, done_s=10.302)
    found = parts(early)
    assert found["start, begun before the request"] == 207.0
    assert not {"imports", "model load", "platform", "runtime start"} & set(found)
    assert early.latency_ms == pytest.approx(total_ms(waterfall(early)))


@pytest.mark.parametrize("early_ms", [0.5, 9.9])
def test_a_process_start_that_is_told_up_to_a_clock_tick_too_early_keeps_its_parts(early_ms: float) -> None:
    exact = replace(COLD, done_s=10.495)  # nothing is left for the platform
    assert parts(exact)["platform"] == 0.0
    ticked = replace(exact, process_start_unix_s=1000.0 - early_ms / 1000)
    assert parts(ticked) == pytest.approx(parts(exact), abs=0.01)
    assert ticked.latency_ms == pytest.approx(total_ms(waterfall(ticked)))


def test_a_start_more_than_a_tick_before_the_request_had_begun_before_it() -> None:
    found = parts(replace(COLD, done_s=10.495, process_start_unix_s=999.98))
    assert "start, begun before the request" in found


def test_a_warm_request_on_an_open_connection_has_no_start() -> None:
    warm = replace(COLD, state="warm", request_number=9, connect_ms=None, tls_ms=None, done_s=10.052)
    assert parts(warm) == {
        "late send": 2.0,
        "platform": 9.0,
        "decode": 5.0,
        "preprocess": 4.0,
        "inference": 30.0,
        "rest of handling": 1.0,
        "answer": 1.0,
    }


def test_an_answer_that_tells_nothing_is_all_platform() -> None:
    silent = Sample(0, "aws", "w", "steady", 1.0, 1.0, 1.5, "failed", status=502)
    assert parts(silent) == {"late send": 0.0, "platform": 500.0}


def test_means_add_up_to_the_mean_latency() -> None:
    samples = [COLD, replace(COLD, done_s=10.302), replace(COLD, process_start_unix_s=None, connect_ms=None)]
    latencies = [sample.latency_ms or 0.0 for sample in samples]
    assert total_ms(mean_waterfall(samples)) == pytest.approx(sum(latencies) / 3)
    assert mean_waterfall([]) == ()


def test_a_request_without_an_answer_has_no_waterfall() -> None:
    dropped = Sample(7, "aws", "w", "steady", 1.0, None, None, "dropped")
    with pytest.raises(ValueError, match="request 7 was dropped"):
        waterfall(dropped)
    assert mean_waterfall([dropped]) == ()
