"""Estimates for the real clouds, on made-up runs whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from loadtests.expected.estimate import added, expected_targets, times_ms
from loadtests.expected.published import published, series_of
from loadtests.plan.targets import EMPTY, Target
from loadtests.record.run_data import RunData
from loadtests.report.sections.expected import basis_sentences, range_text
from tests.kits.page import Load, target

YEAR = 2026


def run(
    *, cold_ms: float = 320.0, empty_ms: float = 120.0, clouds: tuple[str, ...] = ("aws", "gcp", "azure")
) -> RunData:
    """A run in which the model's function takes about 200 ms more than the empty one when cold, and 45 when warm."""
    own = [target(cloud) for cloud in clouds]
    nothing = [replace(target(f"{cloud}{EMPTY}", cloud), empty=True) for cloud in clouds]
    load = Load([*own, *nothing])
    for cloud in clouds:
        load.cold(cloud, 16, around_ms=cold_ms).warm(cloud, 200, around_ms=50.0)
        load.cold(f"{cloud}{EMPTY}", 16, around_ms=empty_ms).warm(f"{cloud}{EMPTY}", 80, around_ms=5.0)
    return split(load)


def split(load: Load) -> RunData:
    """As `read_run` gives it: what was measured of empty functions stands apart."""
    names = {each.name for each in load.targets if each.empty}

    def part(*, empty: bool) -> RunData:
        return RunData(
            load.header,
            [each for each in load.targets if each.empty == empty],
            [each for each in load.samples if (each.target in names) == empty],
        )

    return replace(part(empty=False), empty=part(empty=True)) if names else part(empty=False)


def test_a_run_without_empty_functions_has_no_estimate() -> None:
    load = Load([target("aws")]).cold("aws", 16, around_ms=300.0)
    assert expected_targets(split(load), year=YEAR) is None


def test_what_is_added_here_is_added_to_what_is_published() -> None:
    """On a machine that is as fast as Lambda's, the range holds the published time and what the model adds."""
    record = run()
    aws = next(each for each in expected_targets(record, year=YEAR) or () if each.target == "aws")
    more = aws.added_ms["cold"]
    assert more == pytest.approx(200, rel=0.15)
    python = "3.11"
    init = series_of(published("aws"), "init", "on-demand", python=python, package="zip", architecture="x86_64")[0]
    cold = series_of(published("aws"), "cold", "on-demand")
    found = aws.ranges["cold p50"]
    assert found.low_ms is not None
    assert found.high_ms is not None
    for each in cold:  # every source lies within
        assert found.low_ms <= each.median_ms + more <= found.high_ms
    assert found.high_ms < max(each.median_ms for each in cold) + 1.5 * more * max(aws.scale or 1, 1)
    start = aws.ranges["init p50"]
    assert start.low_ms is not None
    assert init.median_ms <= start.low_ms
    warm = aws.ranges["warm p50"]
    assert warm.high_ms is not None
    assert 18 + aws.added_ms["warm"] * min(aws.scale or 1, 1) * 0.9 < warm.high_ms


def test_the_scale_is_lambdas_time_over_this_machines() -> None:
    slow, fast = (expected_targets(run(empty_ms=ms), year=YEAR) or [] for ms in (240.0, 120.0))
    assert slow[0].scale is not None
    assert fast[0].scale is not None
    assert fast[0].scale == pytest.approx(2 * slow[0].scale, rel=0.1)
    assert {each.scale for each in fast} == {fast[0].scale}, "one machine, one scale"


def test_without_aws_local_time_counts_as_it_is() -> None:
    (gcp,) = expected_targets(run(clouds=("gcp",)), year=YEAR) or []
    assert gcp.scale is None
    assert gcp.ranges["cold p50"].low_ms is not None


def test_one_cold_start_of_flex_gives_no_figure_and_says_so() -> None:
    azure = next(each for each in expected_targets(run(), year=YEAR) or () if each.cloud == "azure")
    assert azure.ranges["cold p50"].low_ms is None
    assert "too thin" in str(azure.ranges["cold p50"].reason)
    assert range_text(azure.ranges["cold p50"]) == "-"
    assert any("too thin" in sentence and "n = 1" in sentence for sentence in basis_sentences([azure]))


def test_a_plan_of_which_nothing_is_published_gets_no_figure() -> None:
    record = run(clouds=("aws",))
    other = replace(record, targets=[replace(each, plan="snapstart") for each in record.targets])
    (aws,) = expected_targets(other, year=YEAR) or []
    assert all(each.low_ms is None for each in aws.ranges.values())
    assert "nothing is published of snapstart" in {each.reason for each in aws.ranges.values()}


def test_figures_age() -> None:
    aws = next(each for each in expected_targets(run(), year=2031) or () if each.target == "aws")
    assert "too old" in str(aws.ranges["cold p50"].reason)
    assert aws.ranges["init p50"].low_ms is not None


def test_few_cold_starts_give_no_estimate() -> None:
    load = Load([target("aws"), replace(target(f"aws{EMPTY}", "aws"), empty=True)])
    load.cold("aws", 5, around_ms=300.0).cold(f"aws{EMPTY}", 5, around_ms=100.0)
    (aws,) = expected_targets(split(load), year=YEAR) or []
    assert "fewer than 6" in str(aws.ranges["cold p50"].reason)


def test_added_time_is_compared_in_pairs_and_is_never_negative() -> None:
    random = np.random.default_rng(1)
    drift = np.linspace(1.0, 3.0, 16)  # the machine slows down threefold
    nothing: NDArray[np.float64] = np.asarray(100 * drift * random.lognormal(0, 0.01, 16), dtype=np.float64)
    found = added(np.asarray(nothing + 50, dtype=np.float64), nothing)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((50, 50))
    less = added(nothing, np.asarray(nothing + 50, dtype=np.float64))
    assert less is not None
    assert less.median == 0


def test_the_platforms_own_spread_is_not_counted_twice() -> None:
    random = np.random.default_rng(2)
    nothing = random.normal(100, 10, 400)
    found = added(np.asarray(random.permutation(nothing) + 50, dtype=np.float64), nothing)
    assert found is not None
    assert float(np.std(found.values)) < 1


def test_warm_times_are_one_for_each_instance() -> None:
    record = run(clouds=("aws",))
    assert times_ms(record.samples, "aws", "warm").size == 8


def test_the_names_of_empty_functions_are_not_those_of_targets() -> None:
    document = Target("a", "aws", "on-demand", "local", 128, "http://x/", empty=True).document()
    assert document["empty"] is True
    assert Target.from_document(document).empty
    assert "empty" not in Target("a", "aws", "on-demand", "local", 128, "http://x/").document()
