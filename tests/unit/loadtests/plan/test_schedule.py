from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import pytest

from loadtests.plan.phases import Bursts, Constant, Forced, Phase, PhaseError, Poisson
from loadtests.plan.schedule import schedule, split

TARGETS = ["aws", "gcp", "azure"]
PHASES: tuple[Phase, ...] = (Forced(4), Constant(10.0, 100, warm_up=5), Poisson(10.0, 300))


def arrivals(seed: int = 1, phases: tuple[Phase, ...] = PHASES) -> list[tuple[float, str, str, int, int]]:
    found = schedule(phases, TARGETS, forcible=TARGETS, images=7, seed=seed)
    return [(each.offset_s, each.target, each.stratum, each.image, each.phase) for each in found]


def test_the_same_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    assert arrivals(1) == arrivals(1)
    assert arrivals(1) != arrivals(2)


def test_the_schedule_does_not_change_between_versions_of_python_or_of_tripoint() -> None:
    found = schedule([Constant(2.0, 2)], TARGETS, forcible=(), images=3, seed=7)
    assert [(each.target, each.image) for each in found] == [
        ("aws", 2),
        ("azure", 2),
        ("gcp", 2),
        ("gcp", 1),
        ("azure", 1),
        ("aws", 1),
    ]


def test_indexes_count_from_zero_in_order_of_phase_and_time() -> None:
    found = schedule(PHASES, TARGETS, forcible=TARGETS, images=7, seed=1)
    assert [each.index for each in found] == list(range(len(found)))
    assert found == sorted(found, key=lambda each: (each.phase, each.offset_s))


def test_every_target_gets_every_request_of_every_phase() -> None:
    counts = Counter(
        (each.phase, each.target) for each in schedule(PHASES, TARGETS, forcible=TARGETS, images=7, seed=1)
    )
    assert counts == {(place, target): n for place, n in ((0, 4), (1, 100), (2, 300)) for target in TARGETS}


def test_the_nth_request_carries_the_same_image_to_every_target() -> None:
    found = schedule([Constant(10.0, 50)], TARGETS, forcible=(), images=7, seed=3)
    series = {target: [each.image for each in found if each.target == target] for target in TARGETS}
    assert series["aws"] == series["gcp"] == series["azure"]
    assert set(series["aws"]) == set(range(7))


def test_targets_take_turns_in_an_order_that_changes() -> None:
    found = schedule([Constant(10.0, 60)], TARGETS, forcible=(), images=1, seed=1)
    orders = {tuple(each.target for each in found[start : start + 3]) for start in range(0, 180, 3)}
    assert all(sorted(order) == sorted(TARGETS) for order in orders)
    assert len(orders) == 6


def test_evenly_spaced_targets_do_not_collide() -> None:
    found = schedule([Constant(10.0, 60)], TARGETS, forcible=(), images=1, seed=1)
    gaps = {round(after.offset_s - before.offset_s, 9) for before, after in itertools.pairwise(found)}
    assert gaps == {round(0.1 / 3, 9)}


def test_the_first_requests_of_a_phase_are_marked_as_warm_up() -> None:
    found = schedule([Constant(10.0, 20, warm_up=5)], TARGETS, forcible=(), images=1, seed=1)
    assert Counter(each.stratum for each in found) == {"warm-up": 15, "steady": 45}
    assert max(each.index for each in found if each.stratum == "warm-up") < 15


def test_cold_starts_are_forced_only_where_there_is_a_control_plane() -> None:
    found = schedule([Forced(3), Constant(1.0, 2)], TARGETS, forcible=["gcp"], images=1, seed=1)
    assert Counter(each.target for each in found if each.stratum == "forced") == {"gcp": 3}
    assert Counter(each.target for each in found if each.stratum == "steady") == dict.fromkeys(TARGETS, 2)


def test_poisson_arrivals_have_the_wanted_rate_and_independent_gaps() -> None:
    found = schedule([Poisson(20.0, 4000)], ["aws"], forcible=(), images=1, seed=1)
    gaps = [after.offset_s - before.offset_s for before, after in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1 / 20, rel=0.05)
    assert deviation / mean == pytest.approx(1.0, abs=0.07)


def test_poisson_arrivals_of_two_targets_are_not_the_same() -> None:
    found = schedule([Poisson(20.0, 50)], TARGETS, forcible=(), images=1, seed=1)
    assert len({each.offset_s for each in found}) == 150


def test_shares_of_workers_hold_every_arrival_once() -> None:
    found = schedule(PHASES, TARGETS, forcible=TARGETS, images=7, seed=1)
    shares = split(found, 3)
    assert sorted((each for share in shares for each in share), key=lambda each: each.index) == found
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize("build", [lambda: Forced(0), lambda: Constant(0.0, 5), lambda: Poisson(3.0, 0)])
def test_a_phase_that_makes_no_sense_is_refused(build: Callable[[], Phase]) -> None:
    with pytest.raises(PhaseError, match=r"expected .* above 0, got"):
        build()


def test_a_light_target_gets_every_cold_start_and_a_fifth_of_the_counted_warm_requests() -> None:
    found = schedule(
        [*PHASES, Bursts(2, 3, 1.0)], ["aws", "aws-empty"], forcible=["aws", "aws-empty"], images=7, seed=1,
        light=["aws-empty"],
    )  # fmt: skip
    counts = Counter((each.phase, each.stratum) for each in found if each.target == "aws-empty")
    assert counts == {(0, "forced"): 4, (1, "steady"): 19, (2, "steady"): 60}
    assert [each.index for each in found] == list(range(len(found)))


def test_light_targets_leave_the_others_as_they_are_and_keep_half_a_turn_from_them() -> None:
    phases = [Constant(10.0, 50)]
    light = [f"{name}-empty" for name in TARGETS]
    found = schedule(phases, [*TARGETS, *light], forcible=(), images=7, seed=1, light=light)
    without = schedule(phases, TARGETS, forcible=(), images=7, seed=1)
    kept = [(each.offset_s, each.target, each.image) for each in found if each.target in TARGETS]
    assert kept == [(each.offset_s, each.target, each.image) for each in without]
    times = [each.offset_s for each in found]
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert min(gaps) == pytest.approx(0.1 / 3 / 2)
