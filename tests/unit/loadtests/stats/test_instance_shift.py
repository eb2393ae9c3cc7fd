"""The comparison by instances: what a stratum is, the exact laws, and what cannot be told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from loadtests.stats.instance_shift import STRETCHES, instance_shift
from loadtests.stats.series import Series
from loadtests.stats.shift import NotComparable

if TYPE_CHECKING:
    from numpy.typing import NDArray

PER_INSTANCE = 8
ROUND_S = 10.0


def rounds(levels_ms: NDArray[np.float64], *, later_s: float = 0.0, spread_ms: float = 0.0) -> Series:
    """One instance a round, at the level given, with requests a second apart."""
    number = np.repeat(np.arange(levels_ms.size), PER_INSTANCE)
    at_s = number * ROUND_S + np.tile(np.arange(float(PER_INSTANCE)), levels_ms.size) + later_s
    noise = np.random.default_rng(1).normal(0, spread_ms, number.size)
    return Series(levels_ms[number] + noise, at_s, number, np.full(number.size, -1))


def long_lived(levels_ms: NDArray[np.float64]) -> Series:
    """Instances that take turns over the whole time."""
    count = levels_ms.size * PER_INSTANCE
    number = np.arange(count) % levels_ms.size
    return Series(levels_ms[number], np.arange(float(count)), number, np.full(count, -1))


def test_one_instance_a_round_gives_wilcoxons_p_value_and_hodges_and_lehmanns_shift() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(20, 3, 10), random.normal(21, 3, 10)
    found = instance_shift(rounds(x), rounds(y, later_s=0.5))
    expected = stats.wilcoxon(y - x, method="exact")
    assert found.p == pytest.approx(expected.pvalue)
    averages = np.sort([(a + b) / 2 for i, a in enumerate(y - x) for b in (y - x)[i:]])
    assert found.value == pytest.approx(np.median(averages))
    assert (found.lo, found.hi) == pytest.approx((averages[8], averages[-9])), "Wilcoxon's table: 8 for n = 10"
    assert found.basis == "10 instances"


def test_what_a_round_does_to_both_targets_cancels() -> None:
    drift = np.linspace(0, 500, 10)
    found = instance_shift(rounds(20 + drift), rounds(21.5 + drift, later_s=0.5))
    assert (found.value, found.lo, found.hi) == pytest.approx((1.5, 1.5, 1.5))


def test_an_instance_more_in_a_round_is_a_part_of_it() -> None:
    x, y = np.full(8, 20.0), np.full(8, 22.0)
    first, second = rounds(x), rounds(y, later_s=0.5)
    extra = second.instance.copy()
    extra[3:5] = 90  # two requests of the first round met, and started an instance
    found = instance_shift(first, Series(second.values, second.at_s, extra, second.work))
    assert found.value == pytest.approx(2.0)
    assert found.basis == "8 and 9 instances"


def test_long_lived_instances_are_compared_by_their_medians() -> None:
    random = np.random.default_rng(3)
    x, y = random.normal(20, 2, 8), random.normal(26, 2, 9)
    found = instance_shift(long_lived(x), long_lived(y))
    assert found.p == pytest.approx(stats.mannwhitneyu(x, y, method="exact").pvalue)
    assert found.value == pytest.approx(np.median(y[:, None] - x))


@pytest.mark.parametrize(("mine", "theirs"), [(1, 1), (5, 12)])
def test_too_few_instances_cannot_tell_targets_from_instances(mine: int, theirs: int) -> None:
    with pytest.raises(NotComparable, match=f"{mine} and {theirs} instances cannot tell"):
        instance_shift(long_lived(np.full(mine, 20.0)), long_lived(np.full(theirs, 30.0)))


def test_unknown_instances_are_compared_by_stretches_of_time() -> None:
    at_s, unknown = np.arange(400.0), np.full(400, -1)
    values = np.random.default_rng(4).normal(20, 1, 400)
    found = instance_shift(Series(values, at_s, unknown, unknown), Series(values + 1, at_s + 0.5, unknown, unknown))
    assert found.basis == f"{STRETCHES} stretches of time, their instances unknown"
    assert found.value == pytest.approx(1.0, abs=0.2)


def test_targets_that_did_not_run_at_the_same_time_are_refused() -> None:
    first = rounds(np.full(10, 20.0))
    with pytest.raises(NotComparable, match="interleave"):
        instance_shift(first, rounds(np.full(10, 25.0), later_s=1000.0))
