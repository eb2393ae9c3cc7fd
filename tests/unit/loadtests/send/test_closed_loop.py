from __future__ import annotations

from collections import Counter

import pytest

from loadtests.send.closed_loop import ClosedLoop

TARGETS = ["aws", "gcp", "azure"]


def conversation(*, first: int = 0, step: int = 1, think_s: float = 1.0, seed: str = "1") -> ClosedLoop:
    return ClosedLoop(TARGETS, images=5, think_s=think_s, seed=seed, first=first, step=step, phase=2)


def test_targets_take_turns_in_random_order() -> None:
    talk = conversation()
    rounds = [tuple(talk.next_arrival().target for _ in range(3)) for _ in range(60)]
    assert all(sorted(each) == sorted(TARGETS) for each in rounds)
    assert len(set(rounds)) == 6


def test_no_two_workers_give_the_same_index() -> None:
    both = [conversation(first=turn, step=2) for turn in range(2)]
    indexes = [talk.next_arrival().index for talk in both for _ in range(10)]
    assert sorted(indexes) == list(range(20))


def test_images_are_those_of_the_set_and_all_of_them() -> None:
    talk = conversation()
    counts = Counter(talk.next_arrival().image for _ in range(200))
    assert set(counts) == set(range(5))


def test_think_times_have_the_wanted_mean_and_none_is_none() -> None:
    talk = conversation(think_s=2.0)
    assert sum(talk.think_time_s() for _ in range(5000)) / 5000 == pytest.approx(2.0, rel=0.05)
    assert conversation(think_s=0.0).think_time_s() == 0.0
