from __future__ import annotations

import os
from pathlib import Path

import pytest

from loadtests.plan.traces import TraceError, read_trace

DATA = os.environ.get("TRIPOINT_DATA")


def trace(folder: Path, text: str) -> tuple[float, ...]:
    file = folder / "trace.csv"
    file.write_text(text, encoding="utf-8")
    return read_trace(file)


def test_time_stamps_with_seven_decimals_are_read(tmp_path: Path) -> None:
    text = "TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9799600,4808\n2023-11-16 18:17:04.0319600,3180\n"
    assert trace(tmp_path, text) == pytest.approx((0.0, 0.052), abs=1e-5)


def test_midnight_does_not_break_a_trace(tmp_path: Path) -> None:
    assert trace(tmp_path, "timestamp\n2023-12-31 23:59:59.5\n2024-01-01 00:00:01\n") == pytest.approx((0.0, 1.5))


def test_arrivals_are_put_in_order(tmp_path: Path) -> None:
    assert trace(tmp_path, "time\n7.5\n3\n4.25\n") == (0.0, 1.25, 4.5)


def test_an_end_with_a_duration_gives_the_start(tmp_path: Path) -> None:
    assert trace(tmp_path, "app,func,end_timestamp,duration\na,f,10.5,0.5\na,f,11,0.25\n") == (0.0, 0.75)


def test_counts_per_minute_are_spread_over_their_minute(tmp_path: Path) -> None:
    assert trace(tmp_path, "minute,count\n0,2\n2,1\n") == (0.0, 30.0, 120.0)
    assert trace(tmp_path, "HashFunction,Trigger,1,2,3\nf,http,1,0,2\ng,http,,1,0\n") == (0.0, 60.0, 120.0, 150.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour\nred\n", "columns colour: expected one of timestamp"),
        ("time\n", "holds no arrival"),
        ("", "expected one of timestamp"),
        ("time\nyesterday\n", "cannot be read"),
        ("end_timestamp,duration\n5,\n", "cannot be read"),
    ],
)
def test_a_file_of_another_shape_says_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(TraceError, match=message):
        trace(tmp_path, text)


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"nowhere\.csv"):
        read_trace(tmp_path / "nowhere.csv")


@pytest.mark.skipif(DATA is None, reason="TRIPOINT_DATA is not set: no recorded traces here")
@pytest.mark.parametrize(
    ("name", "count", "peak_per_s"),
    [
        ("AzureLLMInferenceTrace_code.csv", 8819, 67),
        ("AzureLLMInferenceTrace_conv.csv", 19366, 16),
    ],
)
def test_recorded_traces_have_the_size_and_peak_that_their_publisher_states(
    name: str, count: int, peak_per_s: int
) -> None:
    times = read_trace(Path(str(DATA)) / "traces" / name)
    buckets = [0] * (int(times[-1]) + 1)
    for at_s in times:
        buckets[int(at_s)] += 1
    assert (len(times), max(buckets)) == (count, peak_per_s)
