from __future__ import annotations

import pytest

from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.run.resumption import ResumeError, refuse_other, remaining

AWS = Target("aws", "aws", "on-demand", "local", 1024, "http://127.0.0.1:1/")
HEADER = {"loop": "open", "targets": [AWS.document()], "images": {"sha256": "abc", "count": 1}}


def arrival(index: int, at_s: float, phase: int) -> Arrival:
    return Arrival(index, at_s, "aws", "steady", 0, phase)


def test_what_is_left_keeps_its_gaps_and_each_phase_starts_at_once() -> None:
    planned = [arrival(0, 0.0, 0), arrival(1, 5.0, 0), arrival(2, 0.0, 1), arrival(3, 2.0, 1), arrival(4, 7.0, 1)]
    assert remaining(planned, {0, 2}) == [arrival(1, 0.0, 0), arrival(3, 0.0, 1), arrival(4, 5.0, 1)]


def test_a_whole_run_leaves_nothing_and_an_empty_one_everything() -> None:
    planned = [arrival(0, 0.0, 0), arrival(1, 5.0, 0)]
    assert remaining(planned, {0, 1}) == []
    assert remaining(planned, set()) == planned


def test_the_same_targets_at_other_urls_are_welcome() -> None:
    refuse_other(HEADER, [Target("aws", "aws", "on-demand", "local", 1024, "http://127.0.0.1:2/")], "abc")


def test_other_targets_other_images_and_closed_loops_are_refused() -> None:
    bigger = Target("aws", "aws", "on-demand", "local", 2048, "http://127.0.0.1:1/")
    with pytest.raises(ResumeError, match="2048"):
        refuse_other(HEADER, [bigger], "abc")
    with pytest.raises(ResumeError, match="other images"):
        refuse_other(HEADER, [AWS], "abd")
    with pytest.raises(ResumeError, match="no schedule to resume"):
        refuse_other({**HEADER, "loop": "closed"}, [AWS], "abc")
