"""Compare two versions that were measured in one interleaved run: each cloud twice. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from loadtests.analysis.change import Change, errors_change, judged, latency_change, tail_changes
from loadtests.analysis.comparison import KINDS
from loadtests.analysis.target_summary import headline_stratum

if TYPE_CHECKING:
    from loadtests.record.columns import Columns

NOTE = "against"  # in the run's header: what the other version is
THRESHOLD_NOTE = "against_threshold"
BEFORE = "-before"  # how the name of the other version's target ends
THRESHOLD = 0.05


def changes_against(
    header: Mapping[str, Any], columns: Mapping[str, Columns], *, threshold: float | None = None
) -> list[Change] | None:
    """Every change from the other version to this one; None for a run that measured one version.

    `threshold` (0.05 = 5 %): what a regression has to exceed; None: what the run was made with.
    """
    if not header.get(NOTE):
        return None
    threshold = threshold_of(header) if threshold is None else threshold
    stratum = headline_stratum(list(columns.values()))
    found: list[Change] = []
    for name, before, after in _pairs(columns):
        for kind in KINDS:
            if change := latency_change(name, kind, (before, after), stratum=stratum, interleaved=True):
                found.append(change)
        found.append(errors_change(name, [before], [after]))
        found.extend(tail_changes(name, (before, after)))
    return judged(found, threshold=threshold)


def threshold_of(header: Mapping[str, Any]) -> float:
    """What a regression has to exceed in this run, as a share."""
    return float(header.get(THRESHOLD_NOTE, THRESHOLD))


def _pairs(columns: Mapping[str, Columns]) -> Iterator[tuple[str, Columns, Columns]]:
    for name, after in columns.items():
        if (before := columns.get(f"{name}{BEFORE}")) is not None:
            yield name, before, after
