"""Replication: whole comparisons on drawn data, whose long-run difference is known, come out again.

`python -m bench --replicate` does the same with real servers and whole runs; docs/statistics.md has its figures.
"""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.analysis.comparison import TargetComparison, compare_targets
from loadtests.plan.scenarios import find
from loadtests.plan.schedule import schedule
from loadtests.record.columns import columns_of
from loadtests.record.sample import Sample

REPEATS = 300
IMAGES = 12
SHIFT_MS = 1.0


def quick_run(
    seed: int, *, targets: int, instance: float, minute: float, own_minute: float = 0.0, more_ms: float = 0.0
) -> list[TargetComparison]:
    """The warm comparisons of one `quick` run; instances, and minutes, differ by lognormal laws of these widths.

    `own_minute` is what a minute does to one target alone. The last target is slower by `more_ms`.
    """
    random = np.random.default_rng([seed, targets])
    names = [f"t{number}" for number in range(targets)]
    arrivals = schedule(find("quick").phases(12.0), names, forcible=names, images=IMAGES, seed=seed)
    image_ms = 20 * random.lognormal(0, 0.4, IMAGES)
    factors: dict[tuple[str, int], float] = {}
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    images = {}
    for arrival in arrivals:
        if arrival.stratum == "forced":
            continue
        place = arrival.target, arrival.phase
        shared = factors.setdefault(("", arrival.phase), float(random.lognormal(0, minute)))
        own = factors.setdefault(place, float(random.lognormal(0, instance) * random.lognormal(0, own_minute)))
        ms = image_ms[arrival.image] * shared * own * random.lognormal(0, 0.1)
        ms += more_ms if arrival.target == names[-1] else 0.0
        at_s = arrival.phase * 3.0 + arrival.offset_s
        samples[arrival.target].append(
            Sample(
                arrival.index, arrival.target, "w", arrival.stratum, at_s, at_s, at_s + float(ms) / 1000, "ok",
                state="warm", instance=f"{arrival.target}-{arrival.phase}",
                request_bytes=int(1000 * image_ms[arrival.image]),
            )
        )  # fmt: skip
        images[arrival.index] = arrival.image
    columns = {name: columns_of(each, images) for name, each in samples.items()}
    return compare_targets(columns, kind="warm", stratum="steady")


@pytest.mark.parametrize(("instance", "minute", "own_minute"), [(0.0, 0.0, 0.0), (0.05, 0.1, 0.0), (0.15, 0.05, 0.1)])
def test_at_most_5_percent_of_runs_show_a_difference_between_three_equal_targets(
    instance: float, minute: float, own_minute: float
) -> None:
    """Any of the three pairs counts. 300 runs: up to 8 % may be chance (binomial, 1 in 100)."""
    shown = sum(
        any(
            pair.separable
            for pair in quick_run(seed, targets=3, instance=instance, minute=minute, own_minute=own_minute)
        )
        for seed in range(REPEATS)
    )
    assert shown <= 0.08 * REPEATS


@pytest.mark.parametrize(("instance", "minute"), [(0.03, 0.1), (0.1, 0.0)])
def test_the_interval_covers_the_long_run_difference_in_93_to_98_percent_of_runs(
    instance: float, minute: float
) -> None:
    """Exact law of 16 rounds: 95.6 %; 300 runs vary by 2.5 points either way."""
    covered = 0
    for seed in range(REPEATS):
        (pair,) = quick_run(seed, targets=2, instance=instance, minute=minute, more_ms=SHIFT_MS)
        assert pair.shift is not None
        covered += pair.shift.lo <= SHIFT_MS <= pair.shift.hi
    assert 0.93 * REPEATS <= covered <= 0.98 * REPEATS


def test_ten_percent_more_work_is_shown_in_nine_of_ten_runs() -> None:
    shown = 0
    for seed in range(100):
        (pair,) = quick_run(seed, targets=2, instance=0.03, minute=0.1, more_ms=2.0)
        shown += pair.separable and pair.shift is not None and pair.shift.value > 0
    assert shown >= 90
