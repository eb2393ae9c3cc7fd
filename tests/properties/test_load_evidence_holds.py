from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from loadtests.record.evidence import InstanceReport, parse_header, provisional_state

MS = st.floats(0.0, 1e6, allow_nan=False)


@given(started_ms=MS, init_ms=MS, sent_ms=MS, queued_ms=MS, back_ms=st.floats(0.0, 0.9), number=st.integers(1, 50))
def test_the_rule_agrees_with_an_observer_who_sees_everything(
    started_ms: float, init_ms: float, sent_ms: float, queued_ms: float, back_ms: float, number: int
) -> None:
    """On one true time line: sent before readiness is cold, whatever the queue; only the way back is uncertain."""
    ready_ms = started_ms + init_ms
    handled_ms = max(sent_ms, ready_ms) + queued_ms
    report = InstanceReport("i", request_number=number, since_ready_ms=handled_ms - ready_ms)
    state = provisional_state(report, waited_ms=handled_ms - sent_ms + back_ms)
    if sent_ms < ready_ms - 1e-6:
        assert state == "cold"
    elif sent_ms > ready_ms + back_ms + 1e-6:
        assert state == ("pre-initialised" if number == 1 else "warm")


@given(st.text(max_size=200))
def test_no_header_breaks_the_reader(value: str) -> None:
    report = parse_header(value)
    assert report is None or report.instance


@given(MS, MS, st.integers(1, 9))
def test_waiting_longer_never_turns_cold_into_warm(since_ready_ms: float, waited_ms: float, number: int) -> None:
    report = InstanceReport("i", request_number=number, since_ready_ms=since_ready_ms)
    if provisional_state(report, waited_ms=waited_ms) == "cold":
        assert provisional_state(report, waited_ms=waited_ms * 2 + 1) == "cold"
