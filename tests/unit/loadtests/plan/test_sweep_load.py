from __future__ import annotations

from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest

from loadtests.plan.scenarios import read_scenario
from loadtests.plan.schedule import schedule
from loadtests.plan.sweep_load import ROUNDS_MIN, SweepLoad, Timing, fit, largest
from loadtests.stats.clusters import FEW
from loadtests.stats.percentiles import needed

if TYPE_CHECKING:
    from loadtests.plan.schedule import Arrival

NINE = {f"t{number}": Timing(first_ms=900.0, warm_ms=25.0) for number in range(9)}
SLOW = {f"t{number}": Timing(first_ms=4000.0, warm_ms=120.0) for number in range(9)}


def arrivals(load: SweepLoad, folder: Path) -> list[Arrival]:
    path = folder / "tune.toml"
    path.write_text(load.scenario(), encoding="utf-8")
    scenario = read_scenario(path)
    forcible = ["a", "b"] if load.forced else []
    return schedule(scenario.phases(1.0), ["a", "b"], forcible=forcible, images=3, seed=1)


def test_every_round_gives_every_setting_a_cold_start_and_its_share_of_warm_requests(tmp_path: Path) -> None:
    load = SweepLoad(rounds=6, per_round=20, rate=4.0, settle_s=10.0, forced=True)
    sent = [each for each in arrivals(load, tmp_path) if each.target == "a"]
    assert sum(each.stratum == "forced" for each in sent) == 6
    assert sum(each.stratum == "steady" for each in sent) == 6 * 20
    assert [each.phase for each in sent if each.stratum == "forced"] == [0, 3, 6, 9, 12, 15]


def test_a_new_instance_settles_on_warm_up_before_its_requests_count(tmp_path: Path) -> None:
    load = SweepLoad(rounds=6, per_round=20, rate=4.0, settle_s=10.0, forced=True)
    settling = [each for each in arrivals(load, tmp_path) if each.phase == 1]
    assert {each.stratum for each in settling} == {"warm-up"}
    assert max(each.offset_s for each in settling) >= 10.0


def test_a_load_that_cannot_force_cold_starts_begins_with_a_burst(tmp_path: Path) -> None:
    load = fit(NINE, budget_s=200, cpus=2, settle_s=0, forced=False)
    sent = arrivals(load, tmp_path)
    assert {each.stratum for each in sent if each.phase == 0} == {"burst"}
    assert {each.stratum for each in sent if each.phase == 1} == {"warm-up", "steady"}


def test_the_load_of_nine_settings_fits_into_its_budget_and_carries_every_figure() -> None:
    load = fit(NINE, budget_s=225, cpus=2, settle_s=10, forced=True)
    assert load.rounds * load.round_s <= 225
    assert load.rounds >= FEW, "instances for a bootstrap of the cost"
    assert load.rounds * load.per_round >= 2 * needed(0.95)


def test_more_time_is_spent_on_more_instances() -> None:
    few, many = (fit(NINE, budget_s=budget_s, cpus=2, settle_s=10, forced=True) for budget_s in (225, 900))
    assert many.rounds > few.rounds
    assert many.rounds * many.per_round > few.rounds * few.per_round


def test_too_little_time_still_gives_what_the_figures_need() -> None:
    load = fit(SLOW, budget_s=10, cpus=2, settle_s=10, forced=True)
    assert load.rounds == ROUNDS_MIN
    assert load.rounds * load.per_round >= needed(0.95)


@pytest.mark.parametrize("cpus", [1, 2, 8, 64])
def test_no_setting_is_asked_faster_than_it_answers(cpus: int) -> None:
    load = fit(SLOW, budget_s=200, cpus=cpus, settle_s=10, forced=True)
    assert load.rate * 0.120 <= 0.5
    assert load.rate * 9 * 0.120 <= 0.4 * cpus + 1e-2


def test_a_load_allows_for_the_time_that_forcing_a_cold_start_takes() -> None:
    quick = fit(NINE, budget_s=400, cpus=8, settle_s=0, forced=True)
    slow = {name: Timing(each.first_ms, each.warm_ms, retire_ms=5000.0) for name, each in NINE.items()}
    load = fit(slow, budget_s=400, cpus=8, settle_s=0, forced=True)
    assert load.rounds < quick.rounds
    assert load.pause_s == pytest.approx(quick.pause_s + 9 * (5.0 - 0.15))


@pytest.mark.parametrize("forced", [True, False])
@pytest.mark.parametrize("warm_ms", [1.0, 60.0, 2000.0])
@pytest.mark.parametrize("budget_s", [1.0, 60.0, 200.0, 3600.0])
@pytest.mark.parametrize("settle_s", [0.0, 10.0])
def test_no_load_sends_more_than_the_largest(
    budget_s: float, warm_ms: float, settle_s: float, *, forced: bool
) -> None:
    timings = {"a": Timing(first_ms=10 * warm_ms, warm_ms=warm_ms)}
    load = fit(timings, budget_s=budget_s, cpus=64, settle_s=settle_s, forced=forced)
    assert requests(load) <= requests(largest(settle_s))


def requests(load: SweepLoad) -> int:
    return sum(len(phase.offsets_s(Random(1))) for phase in load.phases())
