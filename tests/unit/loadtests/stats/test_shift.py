from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from loadtests.stats.alignment import CLASS_SAMPLES, align, classes
from loadtests.stats.effects import design_effect
from loadtests.stats.exact import null_distribution
from loadtests.stats.holm import holm
from loadtests.stats.series import Series
from loadtests.stats.shift import NotComparable, shift_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]


def series(
    values: Floats, *, at_s: Floats | None = None, instance: Labels | None = None, work: Labels | None = None
) -> Series:
    unknown = np.full(values.size, -1, dtype=np.int64)
    times = np.arange(values.size, dtype=np.float64) if at_s is None else at_s
    return Series(values, times, unknown if instance is None else instance, unknown if work is None else work)


@pytest.mark.parametrize(("m", "n"), [(4, 4), (3, 9), (8, 8), (20, 20)])
def test_small_samples_get_the_exact_p_value(m: int, n: int) -> None:
    random = np.random.default_rng([m, n])
    x, y = random.random(m), random.random(n) + 0.3
    expected = stats.mannwhitneyu(x, y, method="exact").pvalue
    assert shift_between(series(x), series(y)).p == pytest.approx(expected)


def test_the_null_distribution_of_two_and_three_is_the_one_counted_by_hand() -> None:
    assert null_distribution(2, 3).tolist() == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.2, 0.1, 0.1])


def test_large_samples_without_blocks_get_scipys_p_value() -> None:
    random = np.random.default_rng(8)
    x, y = random.lognormal(size=150), random.lognormal(0.2, size=170).round(1)
    expected = stats.mannwhitneyu(x, y, method="asymptotic").pvalue
    assert shift_between(series(x), series(y), blocked=False).p == pytest.approx(expected, rel=1e-6)


def test_the_shift_is_the_median_of_all_pairwise_differences() -> None:
    random = np.random.default_rng(9)
    for m, n in ((5, 6), (8, 7), (60, 90)):
        x, y = random.exponential(size=m), random.exponential(size=n) + 1
        found = shift_between(series(x), series(y), blocked=False)
        assert found.value == pytest.approx(np.median(y[:, None] - x), abs=1e-7)


def test_hollander_and_wolfes_placenta_example_has_its_published_shift_and_interval() -> None:
    """Permeability at term and at 12 to 26 weeks: shift -0.305, ninth of the differences from either end."""
    term = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    early = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    found = shift_between(series(term), series(early))
    differences = np.sort((early[:, None] - term).ravel())
    assert found.value == pytest.approx(-0.305)
    assert found.p == pytest.approx(0.2544, abs=5e-5)
    assert [found.lo, found.hi] == pytest.approx([differences[8], differences[-9]])


def test_equal_targets_that_drift_together_differ_no_more_than_they_should() -> None:
    random = np.random.default_rng(10)
    at_s = np.arange(400.0)
    level = 10 * (1 + 0.5 * at_s / 400)
    x, y = level * random.lognormal(0, 0.01, 400), (level + 0.15) * random.lognormal(0, 0.01, 400)
    found = shift_between(series(x, at_s=at_s), series(y, at_s=at_s + 0.5))
    assert found.p < 0.001
    assert found.lo < 0.15 < found.hi
    assert shift_between(series(x), series(y), blocked=False).p > 0.05, "drift hides it without blocks"


def test_series_from_different_times_are_refused() -> None:
    x = np.arange(200.0)
    with pytest.raises(NotComparable, match="not measured at the same time"):
        shift_between(series(x, at_s=x), series(x, at_s=x + 1000))


@pytest.mark.parametrize(("m", "n"), [(0, 0), (0, 500), (1, 20), (3, 3)])
def test_too_few_samples_are_refused(m: int, n: int) -> None:
    with pytest.raises(NotComparable, match="too few samples"):
        shift_between(series(np.arange(float(m))), series(np.arange(float(n))))


def test_identical_values_everywhere_are_no_difference() -> None:
    same = np.full(50, 7.0)
    found = shift_between(series(same), series(same))
    assert (round(found.value, 6), found.p) == (0, 1)


def test_requests_for_the_same_work_on_both_sides_make_the_interval_narrower() -> None:
    random = np.random.default_rng(14)
    work = np.arange(200) % 25
    cost = random.lognormal(3, 0.5, 25)[work]
    x, y = cost + random.normal(0, 0.5, 200), cost + 0.4 + random.normal(0, 0.5, 200)
    blind, matched = shift_between(series(x), series(y)), shift_between(series(x, work=work), series(y, work=work))
    assert matched.effect is not None
    assert matched.effect.ratio < 0.2
    assert matched.p < 0.001 < 0.05 < blind.p
    assert matched.lo < 0.4 < matched.hi


def test_requests_are_matched_by_work_and_turn_also_where_some_are_missing() -> None:
    work = np.repeat(np.arange(30), 2)
    whole = series(np.arange(60.0), work=work)
    kept = np.arange(60) % 7 != 0
    part = Series(*(getattr(whole, name)[kept] for name in ("values", "at_s", "instance", "work")))
    found = design_effect(whole, part, (np.zeros(60, dtype=np.intp), np.zeros(int(kept.sum()), dtype=np.intp)))
    assert found is not None
    assert found.freedom == kept.sum() - 1
    assert found.ratio < 0.1


def test_classes_join_neighbours_until_both_sides_have_enough_and_a_short_rest_joins_the_last() -> None:
    first, second = np.repeat([5, 0, 3, 2], [20, 12, 9, 4]), np.repeat([5, 0, 3, 2], [20, 12, 11, 4])
    labels = classes(first, second, order=np.array([2, 0, 3, 5]))
    assert dict(zip(first.tolist(), labels[0].tolist(), strict=True)) == {2: 0, 0: 0, 3: 0, 5: 1}
    assert dict(zip(second.tolist(), labels[1].tolist(), strict=True)) == {2: 0, 0: 0, 3: 0, 5: 1}
    rest = classes(np.repeat([0, 1], CLASS_SAMPLES - 1), np.repeat([0, 1], CLASS_SAMPLES - 1), order=np.array([0, 1]))
    assert set(rest[0]) == {0}


def test_unknown_work_is_one_class() -> None:
    labels = classes(np.array([1, -1]), np.array([1, 1]), order=np.array([1]))
    assert [each.tolist() for each in labels] == [[0, 0], [0, 0]]


def test_alignment_takes_out_the_cost_of_the_work_and_keeps_the_difference_of_the_targets() -> None:
    labels = np.repeat([0, 1], 30)
    cost: Floats = np.where(labels == 0, 10.0, 50.0)
    first, second = align(cost, cost + 3.0, (labels, labels))
    assert set(first) == {-1.5}
    assert set(second) == {1.5}


def test_holm_gives_the_adjusted_values_of_his_paper_in_the_order_given() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]
