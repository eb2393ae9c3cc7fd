"""Estimate what to expect on the real clouds, from a local run and published measurements. Pure.

An empty function ran beside the model. What the model's function takes more than the empty one is what our code and
the model add; it is measured here. The platform's own part is not: a published distribution of an empty function on
the real cloud takes its place. Nothing of this is a measurement of the real cloud.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from loadtests.expected.published import published, series_of
from loadtests.stats.clusters import FEW
from loadtests.stats.percentiles import MEDIAN, percentile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.expected.published import PublishedSeries, What
    from loadtests.plan.targets import Target
    from loadtests.record.run_data import RunData
    from loadtests.record.sample import Sample

FIGURES: Mapping[str, tuple[What, float]] = {
    "init p50": ("init", 0.5),
    "init p95": ("init", 0.95),
    "cold p50": ("cold", 0.5),
    "cold p95": ("cold", 0.95),
    "warm p50": ("warm", 0.5),
}
_KINDS: tuple[What, ...] = ("init", "cold", "warm")


@dataclass(frozen=True, slots=True)
class ExpectedRange:
    """An estimate: from `low_ms` to `high_ms`, both None with a `reason` instead."""

    low_ms: float | None = None
    high_ms: float | None = None
    reason: str | None = None

    def document(self) -> dict[str, Any]:
        """`{low_ms, high_ms, reason}`."""
        return {"low_ms": self.low_ms, "high_ms": self.high_ms, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Added:
    """What the model's function takes more than the empty one, in ms: its median with an interval, and its spread."""

    median: float
    low: float
    high: float
    deviations: NDArray[np.float64]

    @property
    def values(self) -> NDArray[np.float64]:
        """Values that stand for its distribution."""
        return self.median + self.deviations


@dataclass(frozen=True, slots=True)
class ExpectedTarget:
    """What to expect of one target on its real cloud; every figure is an estimate.

    `ranges` by the names of FIGURES. `empty_ms` and `added_ms` are local medians of "init", "cold" and "warm".
    `scale` is how long Lambda took for what took 1 ms here, None where it is not known. `basis` names the published
    series in words.
    """

    target: str
    cloud: str
    ranges: Mapping[str, ExpectedRange]
    empty_ms: Mapping[str, float]
    added_ms: Mapping[str, float]
    scale: float | None
    basis: Sequence[str]

    def document(self) -> dict[str, Any]:
        """This target's entry of `summary.json`."""
        return {
            "target": self.target,
            "estimate": {name: each.document() for name, each in self.ranges.items()},
            "local_empty_ms": dict(self.empty_ms),
            "local_added_ms": dict(self.added_ms),
            "scale": self.scale,
            "basis": list(self.basis),
        }


def expected_targets(record: RunData, *, year: int) -> list[ExpectedTarget] | None:
    """Estimate every target of a run that has an empty function beside it; None where no target has one.

    `year` is that of the run: published figures age. Raises ValueError when a published file is broken.
    """
    if record.empty is None:
        return None
    pairs = {each.name: _twin(each, record.empty.targets) for each in record.targets}
    scale = _scale(record, pairs)
    return [
        _expected(record, target, twin, scale=scale, year=year)
        for target in record.targets
        if (twin := pairs[target.name]) is not None
    ]


def _twin(target: Target, empties: Sequence[Target]) -> Target | None:
    return next((each for each in empties if each.cloud == target.cloud), None)


def _scale(record: RunData, pairs: Mapping[str, Target | None]) -> float | None:
    """Lambda's published initialisation of an empty function over the local one; None without enough of both."""
    for target in record.targets:
        twin = pairs[target.name]
        if target.cloud == "aws" and twin is not None and record.empty is not None:
            local = times_ms(record.empty.samples, twin.name, "init")
            series = _series("aws", "init", target, record)
            if len(local) >= FEW and series:
                return series[0].median_ms / float(np.median(local))
    return None


def _series(cloud: str, what: What, target: Target, record: RunData) -> list[PublishedSeries]:
    """The published series that fit a target and the Python that ran here."""
    python = ".".join(str(record.header.get("python", platform.python_version())).split(".")[:2])
    return series_of(
        published(cloud), what, target.plan, python=python, package="zip", architecture=target.architecture
    )


def _expected(record: RunData, target: Target, twin: Target, *, scale: float | None, year: int) -> ExpectedTarget:
    assert record.empty is not None
    own = {kind: times_ms(record.samples, target.name, kind) for kind in _KINDS}
    nothing = {kind: times_ms(record.empty.samples, twin.name, kind) for kind in _KINDS}
    found = {kind: added(own[kind], nothing[kind]) for kind in _KINDS}
    series = {kind: _series(target.cloud, kind, target, record) for kind in _KINDS}
    ranges = {
        name: _range(found[kind], series[kind], q, scale=scale, year=year, target=target)
        for name, (kind, q) in FIGURES.items()
    }
    return ExpectedTarget(
        target=target.name,
        cloud=target.cloud,
        ranges=ranges,
        empty_ms={kind: float(np.median(each)) for kind, each in nothing.items() if len(each)},
        added_ms={kind: each.median for kind, each in found.items() if each is not None},
        scale=scale,
        basis=[each.words() for kind in _KINDS for each in series[kind]],
    )


def times_ms(samples: Sequence[Sample], target: str, kind: What) -> NDArray[np.float64]:
    """The local times of a target in ms, one for each instance, in their order.

    Of a forced cold start, or of its start and initialisation; the median of the warm requests of an instance.
    """
    own = (each for each in samples if each.target == target and each.outcome == "ok")
    found = sorted(own, key=lambda each: each.intended_s)
    if kind == "warm":
        warm: dict[str, list[float]] = {}
        for each in found:
            if (each.state, each.stratum) == ("warm", "steady") and each.latency_ms is not None:
                warm.setdefault(each.instance or "", []).append(each.latency_ms)
        return np.array([float(np.median(values)) for values in warm.values()])
    cold = [each for each in found if (each.state, each.stratum) == ("cold", "forced")]
    values = [each.latency_ms if kind == "cold" else _init_ms(each) for each in cold]
    return np.array([each for each in values if each is not None])


def _init_ms(sample: Sample) -> float | None:
    """From the start of the process to readiness."""
    started_s, began_s = sample.process_start_unix_s, sample.init_start_unix_s
    if started_s is None or began_s is None or sample.init_ms is None:
        return None
    return (began_s - started_s) * 1000 + sample.init_ms


def added(own: NDArray[np.float64], nothing: NDArray[np.float64]) -> Added | None:
    """What `own` takes more than `nothing`; None with fewer than FEW of one of them.

    The rounds of a run measure the two one soon after the other, so that they are compared in pairs where their
    numbers are equal. What `nothing` varies by is the platform's, and is taken out of the spread.
    """
    if min(own.size, nothing.size) < FEW:
        return None
    if own.size == nothing.size:
        found = percentile(own - nothing, 0.5)
        ends: tuple[float | None, ...] = (found.value, found.lo, found.hi)
    else:
        first, second = percentile(own, 0.5), percentile(nothing, 0.5)
        pairs = ((first.value, second.value), (first.lo, second.hi), (first.hi, second.lo))
        ends = tuple(None if a is None or b is None else a - b for a, b in pairs)
    if any(each is None for each in ends):
        return None
    value, low, high = (max(float(each), 0.0) for each in ends if each is not None)  # work takes time
    widths = [float(np.ptp(np.quantile(each, (0.25, 0.75)))) for each in (own, nothing)]
    part = np.sqrt(max(1 - (widths[1] / widths[0]) ** 2, 0.0)) if widths[0] else 0.0
    return Added(value, low, high, (own - np.median(own)) * part)


def _range(
    more: Added | None,
    series: Sequence[PublishedSeries],
    q: float,
    *,
    scale: float | None,
    year: int,
    target: Target,
) -> ExpectedRange:
    """The range of one quantile over the published series and the two ways to carry local time over.

    Local time counts once as it is and once times `scale`; the uncertainty of the local medians comes on top.
    """
    if more is None:
        return ExpectedRange(reason=f"fewer than {FEW} local measurements of the function and of the empty one")
    reasons = [each.unusable(year) for each in series]
    usable = [each for each, reason in zip(series, reasons, strict=True) if reason is None]
    shapes = [each for each in usable if each.is_distribution]
    if not usable or (q > MEDIAN and not shapes):
        told = [reason for reason in reasons if reason]
        return ExpectedRange(reason="; ".join(told) or f"nothing is published of {target.plan}")
    ways = sorted({1.0, scale or 1.0})
    found = [_quantile(each, shapes, more.values * way, q) for each in usable for way in ways]
    low = min(found) + min((more.low - more.median) * way for way in ways)
    high = max(found) + max((more.high - more.median) * way for way in ways)
    return ExpectedRange(low, high)


def _quantile(
    series: PublishedSeries, shapes: Sequence[PublishedSeries], values: NDArray[np.float64], q: float
) -> float:
    """The quantile of the sum of a draw of each; a median without a distribution has the shape of another one."""
    if not series.is_distribution and not shapes:
        return series.median_ms + float(np.median(values))
    shape = series if series.is_distribution else shapes[0]
    grid = shape.grid() + (series.median_ms - shape.median_ms)
    return float(np.quantile(np.add.outer(grid, values).ravel(), q))
