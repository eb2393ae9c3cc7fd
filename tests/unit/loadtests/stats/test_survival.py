"""The survival curve from gaps: on draws whose curve is known, it comes out again."""

from __future__ import annotations

from random import Random

import pytest

from adapters.emulator.idle_life import IdleLife
from loadtests.stats.gap_search import GapSearch
from loadtests.stats.survival import GapObservation, survival_curve

SPREAD = IdleLife(((60.0, 1.0), (120.0, 0.4), (300.0, 0.0)))


def observed(life: IdleLife, *, search: GapSearch, seed: int) -> list[GapObservation]:
    """A survey of single instances whose lives are drawn by the curve."""
    random = Random(seed)
    seen: list[GapObservation] = []
    while (gap_s := search.next_gap_s(seen)) is not None:
        seen.append(GapObservation(gap_s, int(life.draw(random) > gap_s)))
    return seen


def test_a_single_number_is_found_within_five_percent_in_few_gaps() -> None:
    for life_s in (45.0, 380.0, 905.0):
        seen = observed(IdleLife.fixed(life_s), search=GapSearch(30.0, 3600.0, 30), seed=1)
        curve = survival_curve(seen)
        assert curve.warm_s is not None
        assert curve.cold_s is not None
        assert curve.warm_s <= life_s <= curve.cold_s
        assert curve.cold_s / curve.warm_s < 1.06
        assert len(seen) < 20
        assert curve.whole
        assert IdleLife.read({"points": curve.idle_life()}).survival(life_s * 0.9) == 1.0


def test_a_spread_comes_out_again_on_average_and_mostly_within_its_band() -> None:
    """Each gap tells little: of 200 the curve is off by a tenth. Over 12 surveys the mean is near."""
    curves = [survival_curve(observed(SPREAD, search=GapSearch(30.0, 600.0, 200), seed=seed)) for seed in range(12)]
    for idle_s in (75.0, 90.0, 110.0, 150.0, 210.0, 260.0):
        found = sum(curve.share(idle_s) for curve in curves) / len(curves)
        assert found == pytest.approx(SPREAD.survival(idle_s), abs=0.12), idle_s
    points = [point for curve in curves for point in curve.points]
    inside = sum(point.lo - 0.02 <= SPREAD.survival(point.idle_s) <= point.hi + 0.02 for point in points)
    assert inside >= 0.75 * len(points)


def test_instances_kept_together_give_shares() -> None:
    seen = [GapObservation(300.0, 8, 8), GapObservation(390.0, 4, 8), GapObservation(700.0, 4, 8),
            GapObservation(780.0, 2, 8), GapObservation(1500.0, 0, 8)]  # fmt: skip
    curve = survival_curve(seen)
    assert [(point.idle_s, point.share) for point in curve.points] == [
        (300.0, 1.0), (390.0, 0.5), (700.0, 0.5), (780.0, 0.25), (1500.0, 0.0),
    ]  # fmt: skip
    assert curve.n == 40


def test_what_contradicts_itself_is_pooled_so_that_the_curve_falls() -> None:
    seen = [GapObservation(10, 1), GapObservation(20, 0), GapObservation(30, 1), GapObservation(40, 0)]
    curve = survival_curve(seen)
    assert [(point.idle_s, point.share) for point in curve.points] == [(10, 1.0), (20, 0.5), (30, 0.5), (40, 0.0)]


def test_an_end_that_was_not_seen_is_no_whole_curve() -> None:
    curve = survival_curve([GapObservation(60.0, 1), GapObservation(120.0, 1)])
    assert (curve.whole, curve.warm_s, curve.cold_s) == (False, 120.0, None)


def test_a_life_beyond_the_longest_gap_ends_the_search() -> None:
    seen = observed(IdleLife.fixed(9999.0), search=GapSearch(30.0, 200.0, 50), seed=1)
    assert [each.gap_s for each in seen] == [30.0, 60.0, 120.0, 200.0]
