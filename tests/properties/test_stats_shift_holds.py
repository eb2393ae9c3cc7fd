from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from loadtests.analysis.comparison import compare_targets
from loadtests.plan.phases import Constant
from loadtests.plan.schedule import schedule
from loadtests.record.columns import Columns, columns_of
from loadtests.record.sample import Sample
from loadtests.stats.holm import holm
from loadtests.stats.series import Series
from loadtests.stats.shift import shift_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

VALUES = arrays(np.float64, st.integers(4, 90), elements=st.floats(0.1, 1000).map(lambda x: round(x, 1)))
DURATION_S = 600.0


def series(values: Floats) -> Series:
    unknown = np.full(values.size, -1, dtype=np.int64)
    return Series(values, np.linspace(0, 100, values.size), unknown, unknown)


@given(VALUES, VALUES)
def test_turning_the_two_around_turns_the_shift_around(x: Floats, y: Floats) -> None:
    there, back = shift_between(series(x), series(y)), shift_between(series(y), series(x))
    assert there.p == pytest.approx(back.p)
    assert there.value == pytest.approx(-back.value, abs=1e-4)
    assert there.lo == pytest.approx(-back.hi, abs=1e-4)


@given(VALUES, VALUES)
def test_the_shift_lies_in_its_interval_and_p_is_a_probability(x: Floats, y: Floats) -> None:
    found = shift_between(series(x), series(y))
    assert found.lo - 1e-4 <= found.value <= found.hi + 1e-4
    assert 0 <= found.p <= 1


@given(VALUES, VALUES, st.floats(-50, 50))
def test_a_slower_second_shifts_by_as_much(x: Floats, y: Floats, more: float) -> None:
    found, moved = shift_between(series(x), series(y)), shift_between(series(x), series(y + more))
    assert moved.value == pytest.approx(found.value + more, abs=1e-4)


@given(st.lists(st.floats(0, 1), max_size=20))
def test_correction_never_lowers_p_and_keeps_the_order(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= fixed <= 1 for p, fixed in zip(ps, adjusted, strict=True))
    assert [fixed for _, fixed in sorted(zip(ps, adjusted, strict=True))] == sorted(adjusted)


def pair(seed: int, *, noise: float, n: int = 400) -> tuple[Series, Series]:
    """Two equal targets, interleaved in random order, whose level drifts by 15 % over the run."""
    random = np.random.default_rng(seed)
    slot_s = DURATION_S / n
    first_leads = random.random(n) < 0.5
    sides = []
    for leads in (first_leads, ~first_leads):
        at_s: Floats = np.asarray((np.arange(n) + np.where(leads, 0, 0.5)) * slot_s, dtype=np.float64)
        level_ms = 10 * (1 + 0.15 * at_s / DURATION_S)
        values: Floats = np.asarray(level_ms * random.lognormal(0, noise, n), dtype=np.float64)
        sides.append(Series(values, at_s, np.full(n, -1), np.full(n, -1)))
    return sides[0], sides[1]


@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_identical_targets_under_drift_are_called_different_in_2_to_8_percent_of_200_comparisons(
    noise: float,
) -> None:
    called = [shift_between(*pair(seed, noise=noise)).p < 0.05 for seed in range(200)]
    assert 0.02 <= np.mean(np.array(called)) <= 0.08


@pytest.mark.parametrize("n", [15, 60, 120])
def test_the_interval_of_the_shift_covers_the_truth_93_to_97_percent_of_the_time(n: int) -> None:
    random = np.random.default_rng(n)
    covered = []
    for _ in range(1200):
        first, second = series(random.exponential(5, n)), series(random.exponential(5, n) + 1.3)
        found = shift_between(first, second)
        covered.append(found.lo <= 1.3 <= found.hi)
    assert 0.93 <= np.mean(np.array(covered)) <= 0.97


def measured(seed: int, *, images: int, count: int = 420, more_ms: float = 0.0) -> dict[str, Columns]:
    """Two targets under a real schedule, 15 % drift, and images of which some cost twice as much as others."""
    random = np.random.default_rng(seed)
    arrivals = schedule([Constant(10, count, warm_up=20)], ["a", "b"], forcible=[], images=images, seed=seed)
    cost_ms = 10 + 5 * random.lognormal(0, 0.5, images)
    cost_ms[: max(images // 6, 1)] *= 2
    samples: dict[str, list[Sample]] = {"a": [], "b": []}
    for arrival in arrivals:
        drift = 1 + 0.15 * arrival.offset_s * 10 / count
        latency_ms = cost_ms[arrival.image] * drift * random.lognormal(0, 0.05) + more_ms * (arrival.target == "b")
        sample = Sample(
            arrival.index, arrival.target, "w", arrival.stratum, arrival.offset_s, arrival.offset_s,
            arrival.offset_s + float(latency_ms) / 1000, "ok", state="warm",
            request_bytes=int(cost_ms[arrival.image] * 1000),
        )  # fmt: skip
        samples[arrival.target].append(sample)
    known = {arrival.index: arrival.image for arrival in arrivals}
    return {name: columns_of(each, known) for name, each in samples.items()}


@pytest.mark.parametrize(("images", "count"), [(12, 420), (12, 120), (100, 420)])
def test_a_real_schedule_calls_identical_targets_different_in_2_to_8_percent_whatever_the_images(
    images: int, count: int
) -> None:
    """200 runs; images that cost unlike would, left in, make the test call nearly never."""
    called = []
    for seed in range(200):
        (found,) = compare_targets(measured(seed, images=images, count=count), kind="warm", stratum="steady")
        called.append(found.separable)
    assert 0.02 <= np.mean(np.array(called)) <= 0.08


def test_half_a_millisecond_is_seen_behind_images_that_differ_by_tens() -> None:
    for seed in range(10):
        (found,) = compare_targets(measured(seed, images=12, more_ms=0.5), kind="warm", stratum="steady")
        assert found.shift is not None
        assert found.separable
        assert found.shift.hi - found.shift.lo < 0.6
