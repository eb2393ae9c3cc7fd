"""Compare every pair of targets of one run: which is faster, by how much, and how sure. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from loadtests.stats.alignment import align, classes
from loadtests.stats.clusters import FEW
from loadtests.stats.estimate import Estimate
from loadtests.stats.formatting import format_estimate, format_number, format_p
from loadtests.stats.holm import holm
from loadtests.stats.instance_shift import instance_shift
from loadtests.stats.percentiles import MEDIAN, needed
from loadtests.stats.series import Series
from loadtests.stats.shift import CONFIDENCE, NotComparable, Shift, shift_between

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from loadtests.plan.phases import Stratum
    from loadtests.record.columns import Columns

Kind = Literal["warm", "cold", "unknown"]
KINDS: tuple[Kind, ...] = get_args(Kind)

BAD_SHARE_MAX = 0.01  # above this share of bad requests, the answered ones no longer speak for the target


@dataclass(frozen=True, slots=True)
class TargetComparison:
    """`second` against `first`; `shift` in ms, `p` corrected for all comparisons of this kind (Holm).

    The kind "unknown" is of answers without evidence of cold or warm.
    `shift` is None where `reason` says why the two could not be compared.
    """

    kind: Kind
    first: str
    second: str
    shift: Shift | None = None
    p: float | None = None
    reason: str | None = None

    @property
    def separable(self) -> bool:
        """Whether the difference is significant after correction."""
        return self.p is not None and self.p < 1 - CONFIDENCE

    def estimate(self) -> Estimate:
        """The shift in ms: how much slower `second` is."""
        if self.shift is None:
            return Estimate(n=0, reason=self.reason)
        n = self.shift.n_first + self.shift.n_second
        return Estimate(n=n, value=self.shift.value, lo=self.shift.lo, hi=self.shift.hi)

    def document(self) -> dict[str, Any]:
        """This comparison's entry of `summary.json`."""
        return {
            "kind": self.kind,
            "first": self.first,
            "second": self.second,
            "shift_ms": self.estimate().document(),
            "p": self.p,
            "separable": self.separable,
            "basis": self.basis,
            "reasons": {"shift_ms": self.reason} if self.reason else {},
        }

    @property
    def _kind(self) -> str:
        return "(cold or warm unknown)" if self.kind == "unknown" else self.kind

    @property
    def basis(self) -> str:
        """What the comparison rests on: instances, or requests where each is its own (cold starts)."""
        if self.shift is None:
            return ""
        if self.shift.basis:
            return self.shift.basis
        sizes = " and ".join(f"{size:,}" for size in sorted({self.shift.n_first, self.shift.n_second}))
        return f"{sizes} cold starts" if self.kind == "cold" else f"{sizes} requests"

    def sentence(self) -> str:
        """The verdict in words."""
        if self.shift is None or self.p is None:
            return f"{self.first} against {self.second} {self._kind}: not compared: {self.reason}"
        lo, hi = format_number(self.shift.lo), format_number(self.shift.hi)
        if not self.separable:
            detail = f"(difference between {lo} and {hi} ms, {format_p(self.p)})"
            return f"{self.first} against {self.second} {self._kind}: not separable with {self.basis} {detail}"
        fast, slow = (self.first, self.second) if self.shift.value >= 0 else (self.second, self.first)
        lo, hi = (format_number(each) for each in sorted((abs(self.shift.lo), abs(self.shift.hi))))
        ahead = f"{format_number(abs(self.shift.value))} ms [{lo}, {hi}]"
        return f"{fast} is faster than {slow} {self._kind}: {ahead}, {format_p(self.p)}, between {self.basis}"


def compare_targets(columns: Mapping[str, Columns], *, kind: Kind, stratum: Stratum) -> list[TargetComparison]:
    """Every pair of the targets in `columns` that have requests of this kind; `stratum` says which load."""
    have = [name for name, each in columns.items() if _belongs(each, kind, stratum)]
    pairs = [
        compare_pair(kind, (first, columns[first]), (second, columns[second]), stratum=stratum)
        for first, second in combinations(have, 2)
    ]
    return corrected(pairs)


def _belongs(columns: Columns, kind: Kind, stratum: Stratum) -> bool:
    """Whether a target has answers of this kind; one that never answered is among the warm, to be told there."""
    if columns.count(outcome="ok", stratum=stratum):
        return columns.count(outcome="ok", stratum=stratum, state=kind) > 0
    return kind == "warm" and columns.count(stratum=stratum) > 0


def corrected(comparisons: Sequence[TargetComparison]) -> list[TargetComparison]:
    """The same comparisons with p corrected for their number."""
    ps = iter(holm([each.p for each in comparisons if each.p is not None]))
    return [each if each.p is None else replace(each, p=next(ps)) for each in comparisons]


def compare_pair(
    kind: Kind, first: tuple[str, Columns], second: tuple[str, Columns], *, stratum: Stratum, interleaved: bool = True
) -> TargetComparison:
    """Compare two targets by name and samples; p is not corrected yet.

    `interleaved`: both were measured at the same time, as the targets of one run are.
    """
    names = first[0], second[0]
    for name, each in (first, second):
        bad = bad_share(each, stratum)
        if bad > BAD_SHARE_MAX:
            limit = f"more than {BAD_SHARE_MAX:.0%}"
            return TargetComparison(
                kind, *names, reason=f"{bad:.1%} of {name}'s requests failed or had no answer, {limit}"
            )
    try:
        sides = _aligned(first[1], second[1], kind=kind, stratum=stratum)
        _require_medians(sides)
        # Each cold start is an instance of its own; of a warm request's instance there are others like it.
        compare = shift_between if kind == "cold" else instance_shift
        shift = compare(*sides, blocked=interleaved)
    except NotComparable as error:
        return TargetComparison(kind, *names, reason=str(error))
    return TargetComparison(kind, *names, shift=shift, p=shift.p)


def _require_medians(sides: Sequence[Series]) -> None:
    """Raise NotComparable where the table has no median either: no sentence says more than the table."""
    sizes = [side.values.size for side in sides]
    if min(sizes) < needed(MEDIAN):
        raise NotComparable(f"too few samples (n = {sizes[0]} and {sizes[1]}, needs {needed(MEDIAN)} of each)")


def _aligned(first: Columns, second: Columns, *, kind: Kind, stratum: Stratum) -> tuple[Series, Series]:
    """The series of two targets with the cost of their images taken out; similar sizes are one class."""
    sides = [series(each, kind=kind, stratum=stratum) for each in (first, second)]
    labels = classes(sides[0].work, sides[1].work, order=_by_size(first, second))
    values = align(sides[0].values, sides[1].values, labels)
    return replace(sides[0], values=values[0]), replace(sides[1], values=values[1])


def _by_size(first: Columns, second: Columns) -> NDArray[np.int64]:
    """The images that were sent, by the size of their requests."""
    image = np.concatenate([first.image, second.image])
    size = np.concatenate([first.request_bytes, second.request_bytes])[image >= 0]
    found, code = np.unique(image[image >= 0], return_inverse=True)
    mean_bytes = np.bincount(code, weights=size) / np.bincount(code)
    return np.asarray(found[np.argsort(mean_bytes, kind="stable")], dtype=np.int64)


def series(columns: Columns, *, kind: Kind, stratum: Stratum) -> Series:
    """The answered requests of one kind: latency in ms, intended time, instance, image."""
    chosen = columns.where(outcome="ok", stratum=stratum, state=kind)
    # Each cold start is an instance of its own: resampling instances is then resampling requests.
    instance = columns.instance[chosen] if kind == "warm" else np.full(int(chosen.sum()), -1, dtype=np.int64)
    return Series(columns.latency_ms[chosen], columns.intended_s[chosen], instance, columns.image[chosen])


def bad_share(columns: Columns, stratum: Stratum) -> float:
    """Share of a stratum's requests that failed, timed out or were dropped."""
    total = columns.count(stratum=stratum)
    return 1 - columns.count(stratum=stratum, outcome="ok") / total if total else 0.0


def few_instances(columns: Mapping[str, Columns]) -> str | None:
    """A sentence when the warm figures rest on too few instances to say how much instances differ."""
    counts = {name: _instances(each) for name, each in columns.items() if each.count(stratum="steady", state="warm")}
    few = [f"{name} on {count}" for name, count in counts.items() if count < FEW]
    if not few:
        return None
    return (
        f"Warm figures rest on few instances ({', '.join(few)}): they hold for these; how much another would differ "
        f"takes {FEW} instances or more to tell."
    )


def cheapest(costs: Mapping[str, Estimate], *, readings: Mapping[str, Estimate], volume: str) -> Iterator[str]:
    """What the costs show, in one sentence; none with fewer than two of them.

    `readings` are the costs of targets whose plan can be read in another way, `volume` the month that all are of.
    """
    known = sorted(((cost.value, name, cost) for name, cost in costs.items() if cost.value is not None))
    if len(known) < 2:
        return
    (_, name, cost), (_, next_name, next_cost) = known[:2]
    figures = f"{name} {format_estimate(cost)}, {next_name} {format_estimate(next_cost)} USD per million requests"
    figures += f" at {volume} a month"
    figures += "".join(
        f"; {each} {format_estimate(readings[each])} where its plan is read in the other way"
        for each in (name, next_name)
        if each in readings
    )
    if cost.hi is None or next_cost.lo is None:
        yield f"lowest cost: {figures}; how sure is not known without intervals"
    elif cost.hi < next_cost.lo and stays_cheapest(name, costs, readings):
        yield f"{name} costs least: {figures}"
    else:
        yield f"lowest cost: not separable: {figures}"


def stays_cheapest(name: str, costs: Mapping[str, Estimate], readings: Mapping[str, Estimate]) -> bool:
    """Whether it costs least under every reading of the plans."""
    mine = [each.value for each in (costs[name], readings.get(name)) if each is not None and each.value is not None]
    others = [each.value for source in (costs, readings) for other, each in source.items() if other != name]
    return all(max(mine) < each for each in others if each is not None)


def _instances(columns: Columns) -> int:
    seen = columns.instance[columns.where(stratum="steady", state="warm")]
    return int(np.unique(seen[seen >= 0]).size)
