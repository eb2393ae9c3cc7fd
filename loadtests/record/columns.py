"""Samples as numpy arrays, one for each measured field, so that a million of them stay quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from loadtests.plan.phases import Stratum
from loadtests.record.sample import Outcome, Sample, State

if TYPE_CHECKING:
    from numpy.typing import NDArray

Evidence = Literal[State, "unknown"]

_OUTCOMES: dict[str | None, int] = {name: code for code, name in enumerate(get_args(Outcome))}
_STRATA: dict[str | None, int] = {name: code for code, name in enumerate(get_args(Stratum))}
_STATES: dict[str | None, int] = {name: code for code, name in enumerate(get_args(State))} | {None: -1, "unknown": -1}


@dataclass(frozen=True, slots=True)
class Columns:
    """The samples of one target, one array each, all of the same length and in the order given.

    Times are float64, NaN where there is none: `latency_ms` from the intended send time, `service_ms` from the
    actual one, `slip_ms` between them. `instance` numbers the instances from 0, -1 where unknown; `image` is the
    place in the run's image set, -1 where the schedule does not tell.
    """

    intended_s: NDArray[np.float64]
    latency_ms: NDArray[np.float64]
    service_ms: NDArray[np.float64]
    slip_ms: NDArray[np.float64]
    outcome: NDArray[np.int8]
    stratum: NDArray[np.int8]
    state: NDArray[np.int8]
    instance: NDArray[np.int64]
    image: NDArray[np.int64]
    request_bytes: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.outcome.size)

    def where(
        self, *, outcome: Outcome | None = None, stratum: Stratum | None = None, state: Evidence | None = None
    ) -> NDArray[np.bool_]:
        """Mask of the samples that have all that is named; `state="unknown"` are those without evidence."""
        mask = np.ones(self.n, dtype=np.bool_)
        if outcome is not None:
            mask &= self.outcome == _OUTCOMES[outcome]
        if stratum is not None:
            mask &= self.stratum == _STRATA[stratum]
        if state is not None:
            mask &= self.state == _STATES[state]
        return mask

    def count(
        self, *, outcome: Outcome | None = None, stratum: Stratum | None = None, state: Evidence | None = None
    ) -> int:
        """How many samples have all that is named."""
        return int(self.where(outcome=outcome, stratum=stratum, state=state).sum())


def columns_of(samples: Sequence[Sample], images: Mapping[int, int] | None = None) -> Columns:
    """The columns of samples of one target; `images` gives the image of each index of the schedule."""
    known = images or {}
    instances = {
        name: code for code, name in enumerate(dict.fromkeys(each.instance for each in samples if each.instance))
    }
    return Columns(
        intended_s=np.array([each.intended_s for each in samples], dtype=np.float64),
        latency_ms=_times(each.latency_ms for each in samples),
        service_ms=_times(each.service_ms for each in samples),
        slip_ms=_times(each.slip_ms for each in samples),
        outcome=np.array([_OUTCOMES[each.outcome] for each in samples], dtype=np.int8),
        stratum=np.array([_STRATA[each.stratum] for each in samples], dtype=np.int8),
        state=np.array([_STATES[each.state] for each in samples], dtype=np.int8),
        instance=np.array([instances.get(each.instance or "", -1) for each in samples], dtype=np.int64),
        image=np.array([known.get(each.index, -1) for each in samples], dtype=np.int64),
        request_bytes=np.array([each.request_bytes for each in samples], dtype=np.int64),
    )


def by_target(samples: Iterable[Sample]) -> dict[str, Sequence[Sample]]:
    """Samples grouped by their target's name, order kept."""
    groups: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.target].append(sample)
    return dict(groups)


def _times(values: Iterable[float | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
