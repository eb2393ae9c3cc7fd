from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from loadtests.plan.phases import (
    Bursts,
    Closed,
    Constant,
    Forced,
    IdleGaps,
    Phase,
    PhaseError,
    Poisson,
    Ramp,
    Steps,
    TraceReplay,
    describe,
)
from loadtests.plan.scenarios import SCENARIOS, ScenarioError, find
from loadtests.plan.schedule import schedule

TARGETS = ["aws", "gcp", "azure"]


def times(phase: Phase) -> list[float]:
    return phase.offsets_s(Random(1))


def test_a_ramp_sends_ever_faster_and_as_many_as_its_mean_rate_says() -> None:
    found = times(Ramp(2.0, 10.0, 20.0))
    assert len(found) == 120
    gaps = [after - before for before, after in itertools.pairwise(found)]
    assert gaps == sorted(gaps, reverse=True)
    assert (gaps[0], gaps[-1]) == pytest.approx((1 / 2, 1 / 10), rel=0.1)
    assert found[-1] <= 20.0


def test_a_ramp_may_go_down_and_a_level_one_is_constant() -> None:
    down = times(Ramp(10.0, 2.0, 20.0))
    assert len(down) == 120
    assert down[-1] <= 20.0
    assert times(Ramp(5.0, 5.0, 2.0)) == pytest.approx(times(Constant(5.0, 10)))


def test_steps_follow_each_other() -> None:
    assert times(Steps((1.0, 2.0), 2.0)) == [0.0, 1.0, 2.0, 2.5, 3.0, 3.5]


def test_a_burst_is_several_requests_at_one_moment_and_targets_have_it_in_turn() -> None:
    assert times(Bursts(2, 3, 5.0)) == [0.0, 0.0, 0.0, 5.0, 5.0, 5.0]
    found = schedule([Bursts(2, 3, 6.0)], TARGETS, forcible=(), images=5, seed=1)
    moments = {(each.offset_s, each.target) for each in found}
    assert len(found) == 18
    assert sorted(at_s for at_s, _ in moments) == pytest.approx([0, 2, 4, 6, 8, 10])


def test_every_target_is_idle_for_the_whole_gap() -> None:
    found = schedule([IdleGaps(20, 3.0)], TARGETS, forcible=(), images=5, seed=1)
    for target in TARGETS:
        own = [each.offset_s for each in found if each.target == target]
        assert len(own) == 20
        assert own[0] >= 3.0
        assert min(after - before for before, after in itertools.pairwise(own)) >= 3.0


def test_a_trace_is_run_faster_and_thinned_by_the_seed() -> None:
    assert times(TraceReplay((0.0, 30.0, 90.0), speed=60.0)) == [0.0, 0.5, 1.5]
    many = TraceReplay(tuple(float(n) for n in range(2000)), thin=0.25)
    assert len(times(many)) == pytest.approx(500, rel=0.1)
    assert times(many) == times(many)


def test_targets_that_are_due_together_do_not_always_come_in_the_same_order() -> None:
    found = schedule([TraceReplay(tuple(float(n) for n in range(50)))], TARGETS, forcible=(), images=1, seed=1)
    firsts = {found[start].target for start in range(0, 150, 3)}
    assert firsts == set(TARGETS)


def test_a_closed_loop_schedules_nothing() -> None:
    assert schedule([Closed(3, 1.0, 5.0)], TARGETS, forcible=(), images=1, seed=1) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda: Ramp(0, 1, 1),
        lambda: Steps((), 1),
        lambda: Steps((1, -1), 1),
        lambda: Bursts(1, 0, 1),
        lambda: IdleGaps(1, 0),
        lambda: TraceReplay(()),
        lambda: TraceReplay((0.0,), speed=0),
        lambda: Closed(0, 1, 1),
    ],
)
def test_a_phase_that_makes_no_sense_is_refused(build: Callable[[], Phase]) -> None:
    with pytest.raises(PhaseError, match=r"phase '.*': expected"):
        build()


@pytest.mark.parametrize(
    "phase",
    [
        Forced(1),
        Constant(1, 1),
        Poisson(1, 1),
        Ramp(1, 2, 3),
        Steps((1.0,), 1),
        Bursts(1, 1, 1),
        IdleGaps(1, 1),
        TraceReplay((0.0, 1.0), source="a.csv"),
        Closed(1, 1, 1),
    ],
)
def test_the_header_describes_a_phase_in_json_without_writing_a_trace_out(phase: Phase) -> None:
    document = json.loads(json.dumps(describe(phase)))
    assert {"kind", "loop", "name"} <= set(document)
    assert "times_s" not in document


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_every_named_scenario_makes_a_schedule(name: str) -> None:
    scenario = find(name)
    arrivals = schedule(scenario.phases(10.0), TARGETS, forcible=TARGETS, images=3, seed=1)
    assert scenario.summary
    assert arrivals or scenario.users()


def test_a_scenario_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "arrivals.csv").write_text("time\n0\n60\n", encoding="utf-8")
    file = tmp_path / "mine.toml"
    file.write_text(
        'rate_max = 5\n[[phases]]\nkind = "constant"\ncount = 7\n'
        '[[phases]]\nkind = "trace"\nfile = "arrivals.csv"\nspeed = 60\n'
        '[[phases]]\nkind = "steps"\nrates = [1, 2]\nstep_s = 1\n',
        encoding="utf-8",
    )
    scenario = find(str(file))
    constant, replay, steps = scenario.phases(3.0)
    assert (scenario.name, scenario.rate_max, scenario.users()) == ("mine", 5.0, None)
    assert constant == Constant(3.0, 7)
    assert replay == TraceReplay((0.0, 60.0), speed=60, source="arrivals.csv")
    assert steps == Steps((1, 2), 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected .*phases.* tables"),
        ('[[phases]]\nkind = "wobble"\n', "expected one of forced, constant"),
        ('[[phases]]\nkind = "constant"\nfoo = 1\ncount = 1\n', "has no foo: expected some of count, name, rate"),
        ('[[phases]]\nkind = "constant"\n', "count"),
        ('[[phases]]\nkind = "constant"\ncount = 0\n', "expected count above 0"),
        ('[[phases]]\nkind = "trace"\nfile = "nowhere.csv"\n', r"nowhere\.csv"),
        ("not toml", "cannot be used"),
    ],
)
def test_a_scenario_that_makes_no_sense_says_what_was_expected(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=message):
        find(str(file))
