"""The context from which the page is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from loadtests.record.columns import by_target
from loadtests.report.sections.palette import target_styles

if TYPE_CHECKING:
    from loadtests.analysis.summary import Summary
    from loadtests.analysis.target_summary import TargetSummary
    from loadtests.prices.book import PriceBook
    from loadtests.record.columns import Columns
    from loadtests.record.run_data import RunData
    from loadtests.record.sample import Sample
    from loadtests.report.sections.palette import TargetStyle


@dataclass(frozen=True)
class ReportContext:
    """A run's summary, the raw record that it was made from, and the prices that it was costed with."""

    summary: Summary
    record: RunData
    book: PriceBook

    @cached_property
    def looks(self) -> tuple[TargetStyle, ...]:
        """How each target looks, in the order of the run."""
        return target_styles([part.target for part in self.summary.targets])

    @cached_property
    def columns(self) -> Mapping[str, Columns]:
        """The samples of each target, by name, as columns."""
        return self.record.columns

    @cached_property
    def samples(self) -> Mapping[str, Sequence[Sample]]:
        """The samples of each target, by name."""
        return by_target(self.record.samples)

    def each(self) -> Iterator[tuple[TargetStyle, TargetSummary, Columns]]:
        """Every target with its looks and its samples."""
        for look, part in zip(self.looks, self.summary.targets, strict=True):
            yield look, part, self.columns[part.target.name]
