from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loadtests.report.sections.chart import Ratios
from loadtests.report.sections.downsampling import STEPS_MAX, TAIL, curve_ranks, drawn, short
from loadtests.report.sections.palette import COLOURS, LABEL_MAX, short_names, target_styles
from tests.kits.page import target


def test_a_short_curve_keeps_every_rank() -> None:
    assert curve_ranks(0).size == 0
    assert curve_ranks(STEPS_MAX).tolist() == list(range(STEPS_MAX))


@settings(deadline=None, max_examples=50)
@given(st.integers(STEPS_MAX + 1, 2_000_000))
def test_a_long_curve_is_off_by_a_thousandth_at_most_and_exact_where_it_is_slow(n: int) -> None:
    ranks = curve_ranks(n)
    assert ranks.size <= STEPS_MAX
    assert (ranks[0], ranks[-1]) == (0, n - 1)
    assert (np.diff(ranks).max() - 1) / n <= 1.01e-3, "so many ranks are skipped at once"
    assert ranks[-TAIL:].tolist() == list(range(n - TAIL, n))


def test_of_many_points_the_slowest_are_drawn_and_the_rest_at_random_but_always_the_same() -> None:
    values = np.random.default_rng(1).lognormal(3, 0.5, 20_000)
    places = drawn(values, 1_000)
    assert places.size == np.unique(places).size == 1_000
    slowest = np.argsort(values)[-100:]
    assert set(slowest) <= set(places)
    assert drawn(values, 1_000).tolist() == places.tolist()
    others = np.setdiff1d(places, slowest)
    assert np.median(values[others]) == pytest.approx(np.median(values), rel=0.05), (
        "the others are not chosen by speed"
    )


def test_few_points_are_all_drawn() -> None:
    assert drawn(np.array([3.0, 1.0, 2.0]), 3).tolist() == [0, 1, 2]
    assert drawn(np.empty(0), 3).size == 0


def test_four_digits_are_kept() -> None:
    assert [short(each) for each in (12.34567, 0.00012345678, 98765.4)] == [12.35, 0.0001235, 98770.0]


@settings(deadline=None)
@given(st.lists(st.floats(1e-3, 1e6), min_size=1, max_size=20))
def test_a_log_axis_holds_its_values_and_has_a_few_round_ticks(values: list[float]) -> None:
    axis = Ratios.around([*values, None, 0.0])
    assert axis.low < min(values) <= max(values) < axis.high
    assert all(axis.low <= each <= axis.high for each in axis.ticks)
    assert len(axis.ticks) <= 20


def test_a_cloud_has_one_colour_and_each_of_its_targets_a_line_of_its_own() -> None:
    found = target_styles([target("a", "aws"), target("g", "gcp"), target("b", "aws")])
    assert found[0].colour == found[2].colour != found[1].colour
    assert (found[0].dash, found[0].shape) != (found[2].dash, found[2].shape)
    alone = target_styles([target("gcp")])
    assert alone[0].colour == found[1].colour, "a cloud looks the same in every run"


def test_long_names_are_shortened_where_they_are_alike_and_stay_different() -> None:
    assert short_names(["aws", "gcp"]) == ["aws", "gcp"]
    shared = [f"the-same-long-beginning-of-every-name-{word}" for word in ("blue", "green")]
    assert short_names(shared) == ["\N{HORIZONTAL ELLIPSIS}blue", "\N{HORIZONTAL ELLIPSIS}green"]
    found = short_names([f"{letter * 40}{end}" for letter in "ab" for end in (1, 2)])
    assert len(set(found)) == 4
    assert max(map(len, found)) <= LABEL_MAX
    middle = ["x" * 30 + "1" + "y" * 30, "z" + "x" * 29 + "2" + "y" * 30, "x" * 30 + "3" + "y" * 30]
    assert short_names(middle) == middle, "shortened, two of them would be one"


def test_an_axis_that_is_too_short_for_ratios_has_even_ticks() -> None:
    ticks = Ratios(8.1, 9.3).ticks
    assert len(ticks) >= 3
    assert all(8.1 <= each <= 9.3 for each in ticks)


def test_the_colours_stand_out_from_the_light_page_and_from_the_dark_one() -> None:
    for colour in COLOURS:
        for page in ("#ffffff", "#15171b"):
            assert contrast(colour, page) >= 3, f"{colour} on {page} (WCAG 2.2, 1.4.11: 3:1 for graphics)"


def contrast(first: str, second: str) -> float:
    """WCAG's contrast ratio."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
