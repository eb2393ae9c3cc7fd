from __future__ import annotations

import pytest

from loadtests.record.evidence import parse_header, provisional_state
from loadtests.selftest.null_server import Behaviour, NullServer, Stall


def test_a_delay_is_the_same_for_all() -> None:
    assert Behaviour(delay_ms=5).answer_after_s(3.0) == pytest.approx(0.005)


def test_what_comes_in_during_a_stall_is_answered_at_its_end() -> None:
    behaviour = Behaviour(stalls=(Stall(10, 2),))
    assert [behaviour.answer_after_s(at_s) for at_s in (9.9, 10.0, 11.5, 12.0)] == pytest.approx([0.0, 2.0, 0.5, 0.0])


def test_an_answer_that_was_due_during_a_stall_waits_for_its_end_too() -> None:
    assert Behaviour(delay_ms=500, stalls=(Stall(10, 2),)).answer_after_s(9.8) == pytest.approx(2.2)


def test_a_stall_is_written_as_its_start_and_length() -> None:
    assert Stall.parse("10+2.5") == Stall(10.0, 2.5)


def state_of(answer: bytes, *, waited_ms: float) -> str | None:
    line = next(line for line in answer.decode().split("\r\n") if line.startswith("x-tripoint-instance: "))
    return provisional_state(parse_header(line.partition(": ")[2]), waited_ms=waited_ms)


def test_who_comes_while_an_instance_starts_waits_for_it_too() -> None:
    server = NullServer(Behaviour(delay_ms=10, cold_ms=300))
    server.admit(0.0)
    wait_s, answer = server.admit(0.2)
    assert wait_s == pytest.approx(0.11)
    assert state_of(answer, waited_ms=100.5) == "cold"
    assert server.cold == 2


def test_the_first_request_after_a_retirement_waits_for_a_new_instance() -> None:
    server = NullServer(Behaviour(cold_ms=300))
    for start_s in (0.0, 10.0):
        server.retire()
        wait_s, answer = server.admit(start_s)
        assert wait_s == pytest.approx(0.3)
        assert state_of(answer, waited_ms=wait_s * 1000) == "cold"
        wait_s, answer = server.admit(start_s + 5)
        assert wait_s == 0.0
        assert state_of(answer, waited_ms=0.5) == "warm"
    assert (server.served, server.cold, server.started) == (4, 2, 2)


def test_the_clock_of_the_stalls_may_begin_after_some_requests() -> None:
    server = NullServer(Behaviour(stalls=(Stall(1, 2),), skip=2))
    waits = [server.admit(now_s)[0] for now_s in (50.0, 51.5, 60.0, 61.5)]
    assert waits == pytest.approx([0.0, 0.0, 0.0, 1.5])
