from __future__ import annotations

import pytest

from core.wire import Evidence, Initialisation
from loadtests.record import evidence
from loadtests.record.evidence import InstanceReport, parse_header, provisional_state

HEADER = (
    "i-1;number=3;since_ready_ms=0.3;init_start_unix_s=1763.5;init_ms=210.5;imports_ms=120;"
    "model_load_ms=60;process_start_unix_s=1763.1"
)


def report(*, number: int, since_ready_ms: float) -> InstanceReport:
    return InstanceReport("i", request_number=number, since_ready_ms=since_ready_ms)


def test_the_header_is_read_whole() -> None:
    assert parse_header(HEADER) == InstanceReport(
        "i-1",
        request_number=3,
        since_ready_ms=0.3,
        process_start_unix_s=1763.1,
        init_start_unix_s=1763.5,
        init_ms=210.5,
        imports_ms=120.0,
        model_load_ms=60.0,
    )


def test_a_report_holds_all_that_an_instance_says() -> None:
    said = {*Evidence._fields, *Initialisation._fields} - {"initialisation"}
    assert set(InstanceReport.__annotations__) == said


def test_spaces_unknown_and_broken_parts_do_no_harm() -> None:
    assert parse_header(" i-1 ; number=x; since_ready_ms = 4; colour=red; init_ms=inf;;=") == InstanceReport("i-1")


@pytest.mark.parametrize("value", ["", ";number=1", "   "])
def test_a_header_without_an_id_is_no_evidence(value: str) -> None:
    assert parse_header(value) is None


def test_a_body_gives_the_same_as_the_header() -> None:
    body = {"instance": "i-1", "request_number": 2, "since_ready_ms": 5.5, "process_start_unix_s": None}
    assert evidence.from_mapping(body) == report(number=2, since_ready_ms=5.5).__class__(
        "i-1", request_number=2, since_ready_ms=5.5
    )


def test_who_waited_longer_than_the_instance_has_been_ready_was_waiting_for_it() -> None:
    assert provisional_state(report(number=1, since_ready_ms=2.0), waited_ms=800.0) == "cold"


def test_the_second_request_of_a_concurrent_instance_may_have_waited_for_it_too() -> None:
    assert provisional_state(report(number=2, since_ready_ms=12.0), waited_ms=790.0) == "cold"


def test_the_first_request_of_an_instance_that_was_ready_before_is_pre_initialised() -> None:
    assert provisional_state(report(number=1, since_ready_ms=60_000.0), waited_ms=3.0) == "pre-initialised"


def test_a_long_queue_before_an_old_instance_is_warm() -> None:
    assert provisional_state(report(number=90, since_ready_ms=60_000.0), waited_ms=2_000.0) == "warm"


def test_without_evidence_there_is_no_state() -> None:
    assert provisional_state(None, waited_ms=1.0) is None
    assert provisional_state(InstanceReport("i"), waited_ms=1.0) is None
