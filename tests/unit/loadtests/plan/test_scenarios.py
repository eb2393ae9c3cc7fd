from __future__ import annotations

import pytest

from loadtests.plan.phases import Constant, Forced
from loadtests.plan.scenarios import LOAD_SHARE, SCENARIOS, ScenarioError, find, sustainable_rate


def test_the_quick_scenario_makes_p99_estimable_and_cold_starts_countable() -> None:
    forced, steady = find("quick").phases(12.0)
    assert isinstance(forced, Forced)
    assert isinstance(steady, Constant)
    assert forced.rounds >= 8
    assert steady.count - steady.warm_up >= 368


def test_the_quick_scenario_takes_under_a_minute_at_ten_a_second() -> None:
    forced, steady = find("quick").phases(10.0)
    assert isinstance(forced, Forced)
    assert isinstance(steady, Constant)
    assert forced.rounds * 3 * 0.5 + steady.count / steady.rate < 60


def test_a_fast_target_gets_the_highest_rate_and_a_slow_one_less() -> None:
    assert sustainable_rate({"aws": 5.0}, cpus=2, rate_max=15.0) == 15.0
    assert sustainable_rate({"aws": 50.0, "gcp": 50.0}, cpus=2, rate_max=15.0) == pytest.approx(2 * LOAD_SHARE / 0.1)


def test_targets_that_answer_at_once_get_the_highest_rate() -> None:
    assert sustainable_rate({"aws": 0.0}, cpus=2, rate_max=15.0) == 15.0


def test_an_unknown_scenario_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ScenarioError, match=", ".join(SCENARIOS)):
        find("nonsense")
