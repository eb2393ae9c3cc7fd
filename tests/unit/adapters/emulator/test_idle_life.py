from __future__ import annotations

from random import Random

import pytest

from adapters import contract
from adapters.emulator.idle_life import IdleLife

CURVE = IdleLife(((60.0, 1.0), (120.0, 0.4), (300.0, 0.0)))


def test_a_fixed_life_is_one_number() -> None:
    life = IdleLife.fixed(77.0)
    assert (life.survival(76.9), life.survival(77.0), life.longest_s) == (1.0, 0.0, 77.0)
    assert {life.draw(Random(seed)) for seed in range(20)} == {77.0}


def test_draws_follow_the_curve() -> None:
    draws = [CURVE.draw(Random(seed)) for seed in range(4000)]
    for at_s in (59.0, 75.0, 100.0, 120.0, 200.0, 299.0):
        assert sum(each > at_s for each in draws) / len(draws) == pytest.approx(CURVE.survival(at_s), abs=0.03)


def test_what_is_written_is_read_again() -> None:
    for life in (CURVE, IdleLife.fixed(5.0), IdleLife(halves_every_s=380.0)):
        assert IdleLife.read(life.document()) == life


@pytest.mark.parametrize(
    "points", [[], [[10, 1], [5, 0]], [[5, 0.5], [10, 0.8], [11, 0]], [[5, 1], [9, 0.2]], [[-1, 1], [9, 0]]]
)
def test_points_that_are_no_survival_curve_are_refused(points: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="expected \\[seconds, share that still lives\\]"):
        IdleLife.read({"points": points})


@pytest.mark.parametrize("cloud", contract.clouds())
def test_every_cloud_has_a_curve_with_its_source_and_size(cloud: str) -> None:
    data = contract.load(cloud).data["platform"]["idle_life"]
    assert IdleLife.read(data).longest_s > 300
    assert data["source"]
    assert data["n"] > 100
    assert data["year"] >= 2020
