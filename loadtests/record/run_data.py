"""Read a stored run into memory, for checks, reports, diffs and exports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.plan.targets import Target
from loadtests.record.cold_state import classify_samples
from loadtests.record.columns import Columns, by_target, columns_of
from loadtests.record.store import open_store

if TYPE_CHECKING:
    from loadtests.record.sample import Sample
    from loadtests.record.store import Event


@dataclass(frozen=True)
class RunData:
    """A run in memory.

    `planned` is the number of requests in the schedule, 0 for a run without one (closed loop). `images` gives the
    image of each index of the schedule, as a place in the run's image set. `empty` has the empty functions that ran
    beside the targets, and what was measured of them, which is in none of the other fields.
    """

    header: Mapping[str, Any]
    targets: Sequence[Target]
    samples: Sequence[Sample]
    events: Sequence[Event] = field(default=())
    planned: int = 0
    images: Mapping[int, int] = field(default_factory=dict)
    empty: RunData | None = None

    @cached_property
    def columns(self) -> Mapping[str, Columns]:
        """The samples of every target as columns, by name; a target without samples has empty ones."""
        groups = by_target(self.samples)
        return {target.name: columns_of(groups.get(target.name, ()), self.images) for target in self.targets}


def read_run(folder: Path) -> RunData:
    """Read a run's folder (or its store's file), and settle which requests were cold.

    Raises StoreError when there is no store that can be read.
    """
    with open_store(folder) as store:
        header = store.header()
        targets = [Target.from_document(each) for each in header["targets"]]
        schedule = list(store.schedule())
        samples = classify_samples(store.samples())
        events = store.events()
    images = {arrival.index: arrival.image for arrival in schedule}
    beside = {target.name for target in targets if target.empty}
    planned = sum(arrival.target not in beside for arrival in schedule)
    whole = RunData(header, targets, samples, events, planned, images)
    if not beside:
        return whole
    empty = replace(
        whole,
        targets=[target for target in targets if target.empty],
        samples=[sample for sample in samples if sample.target in beside],
        planned=len(schedule) - planned,
    )
    return replace(
        whole,
        targets=[target for target in targets if not target.empty],
        samples=[sample for sample in samples if sample.target not in beside],
        empty=empty,
    )
