"""Compose the report of a run as a neutral document, which is rendered as HTML and as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from loadtests.report.sections.changes import changes_section
from loadtests.report.sections.checks import checks, counts
from loadtests.report.sections.cold import cold
from loadtests.report.sections.cost import cost
from loadtests.report.sections.expected import expected_section
from loadtests.report.sections.header import report_header, result
from loadtests.report.sections.method import method, repeat
from loadtests.report.sections.sweep import sweep
from loadtests.report.sections.timeline import timeline
from loadtests.report.sections.warm import warm

if TYPE_CHECKING:
    from loadtests.report.blocks import Section
    from loadtests.report.sections.context import ReportContext
    from loadtests.report.sections.header import ReportHeader
    from loadtests.report.sections.palette import TargetStyle


@dataclass(frozen=True, slots=True)
class Document:
    """A report: its header with the verdicts, its sections in the order of reading, and how each target looks."""

    header: ReportHeader
    sections: Sequence[Section]
    styles: Sequence[TargetStyle]


def compose(context: ReportContext) -> Document:
    """Return the document of a run; every sentence and figure of its reports is made here, once."""
    return Document(report_header(context), list(_sections(context)), context.looks)


def _sections(context: ReportContext) -> Iterator[Section]:
    """In the order of the questions."""
    yield result(context)
    if context.summary.changes is not None:
        yield changes_section(context.summary)
    yield warm(context)
    yield cold(context)
    if context.summary.expected is not None:
        yield expected_section(context, context.summary.expected)
    yield timeline(context)
    yield cost(context)
    if context.summary.sweep is not None:
        yield sweep(context, context.summary.sweep)
    yield counts(context)
    yield checks(context)
    yield method(context)
    yield repeat(context)
