"""Dispatching with greenlets that take as long as they are told to; nothing here depends on how fast that is."""

from __future__ import annotations

from time import perf_counter

import gevent

from loadtests.plan.schedule import Arrival
from loadtests.send.dispatcher import Dispatcher


class Recorder:
    """Notes what is asked of it; `busy_s` is how long an answer takes."""

    def __init__(self, *, busy_s: float = 0.0, retires: bool = True) -> None:
        self.busy_s = busy_s
        self.retires = retires
        self.log: list[str] = []
        self.due_s: list[float] = []

    def send(self, arrival: Arrival, due_s: float) -> None:
        self.log.append(f"send {arrival.index}")
        self.due_s.append(due_s)
        gevent.sleep(self.busy_s)
        self.log.append(f"answered {arrival.index}")

    def drop(self, arrival: Arrival, due_s: float) -> None:
        self.log.append(f"drop {arrival.index}")

    def retire(self, arrival: Arrival) -> bool:
        self.log.append(f"retire {arrival.target}")
        return self.retires


def dispatcher(recorder: Recorder, *, in_flight_max: int = 100) -> Dispatcher:
    return Dispatcher(send=recorder.send, drop=recorder.drop, retire=recorder.retire, in_flight_max=in_flight_max)


def arrivals(*times: float) -> list[Arrival]:
    return [Arrival(index, at_s, "aws", "steady", 0) for index, at_s in enumerate(times)]


def test_a_request_does_not_wait_for_the_answer_before_it() -> None:
    recorder = Recorder(busy_s=0.05)
    dispatcher(recorder).play_open(arrivals(0, 0, 0), start_s=perf_counter())
    assert recorder.log[:3] == ["send 0", "send 1", "send 2"]
    assert sorted(recorder.log[3:]) == ["answered 0", "answered 1", "answered 2"]


def test_due_times_are_those_of_the_schedule_even_when_all_of_it_is_late() -> None:
    recorder = Recorder()
    start_s = perf_counter() - 100.0
    dispatcher(recorder).play_open(arrivals(0, 1, 2), start_s=start_s)
    assert recorder.due_s == [start_s, start_s + 1, start_s + 2]


def test_nothing_is_sent_before_it_is_due() -> None:
    recorder = Recorder()
    start_s = perf_counter()
    sent_s: list[float] = []
    each = Dispatcher(
        send=lambda arrival, due_s: sent_s.append(perf_counter()),
        drop=recorder.drop,
        retire=recorder.retire,
        in_flight_max=9,
    )
    each.play_open(arrivals(0.01, 0.03), start_s=start_s)
    assert sent_s[0] >= start_s + 0.01
    assert sent_s[1] >= start_s + 0.03


def test_what_is_due_while_too_many_wait_is_dropped() -> None:
    recorder = Recorder(busy_s=0.05)
    dispatcher(recorder, in_flight_max=2).play_open(arrivals(0, 0, 0, 0), start_s=perf_counter())
    assert [line for line in recorder.log if line.startswith("drop")] == ["drop 2", "drop 3"]


def test_a_forced_cold_start_waits_for_the_one_before_and_for_the_retirement() -> None:
    recorder = Recorder(busy_s=0.01)
    dispatcher(recorder).play_serial(arrivals(0, 0))
    assert recorder.log == ["retire aws", "send 0", "answered 0", "retire aws", "send 1", "answered 1"]


def test_what_cannot_be_retired_is_dropped_and_not_sent() -> None:
    recorder = Recorder(retires=False)
    dispatcher(recorder).play_serial(arrivals(0))
    assert recorder.log == ["retire aws", "drop 0"]


def test_a_phase_that_is_cut_answers_what_is_under_way_and_sends_no_more() -> None:
    recorder = Recorder(busy_s=0.05)
    each = dispatcher(recorder)
    gevent.spawn_later(0.01, each.cut)
    each.play_open(arrivals(0, 3600), start_s=perf_counter())
    assert recorder.log == ["send 0", "answered 0"]


def test_what_does_not_answer_within_the_grace_is_given_up() -> None:
    recorder = Recorder(busy_s=3600)
    each = dispatcher(recorder)
    playing = gevent.spawn(each.play_open, arrivals(0), start_s=perf_counter())
    gevent.sleep(0.01)
    each.stop(grace_s=0.01)
    playing.join(timeout=10)
    assert playing.dead
    assert recorder.log == ["send 0"]
