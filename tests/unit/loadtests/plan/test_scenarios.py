from __future__ import annotations

import pytest

from loadtests.plan.phases import Constant, Forced
from loadtests.plan.scenarios import LOAD_SHARE, SCENARIOS, ScenarioError, find, sustainable_rate


def test_the_quick_scenario_gives_every_target_sixteen_instances_and_makes_p99_estimable() -> None:
    phases = find("quick").phases(12.0)
    forced = [each for each in phases if isinstance(each, Forced)]
    steady = [each for each in phases if isinstance(each, Constant)]
    assert [type(each) for each in phases] == [Forced, Constant] * 16
    assert sum(each.rounds for each in forced) == 16
    assert sum(each.count - each.warm_up for each in steady) >= 368


def test_the_quick_scenario_takes_under_70_s_at_ten_a_second() -> None:
    phases = find("quick").phases(10.0)
    forced_s = sum(each.rounds * 3 * 0.5 for each in phases if isinstance(each, Forced))
    assert forced_s + sum(each.count / each.rate for each in phases if isinstance(each, Constant)) < 70


def test_warm_requests_wait_until_a_new_instance_has_lost_its_extra_processor_time() -> None:
    phases = find("quick").phases(10.0, 10.0)
    settle = [each for each in phases if isinstance(each, Constant) and each.warm_up == each.count]
    assert len(settle) == 16
    assert all(each.count / each.rate >= 10.0 for each in settle)


def test_a_fast_target_gets_the_highest_rate_and_a_slow_one_less() -> None:
    assert sustainable_rate({"aws": 5.0}, cpus=2, rate_max=15.0) == 15.0
    assert sustainable_rate({"aws": 50.0, "gcp": 50.0}, cpus=2, rate_max=15.0) == pytest.approx(2 * LOAD_SHARE / 0.1)


def test_targets_that_answer_at_once_get_the_highest_rate() -> None:
    assert sustainable_rate({"aws": 0.0}, cpus=2, rate_max=15.0) == 15.0


def test_an_unknown_scenario_is_answered_with_those_that_exist() -> None:
    with pytest.raises(ScenarioError, match=", ".join(SCENARIOS)):
        find("nonsense")
