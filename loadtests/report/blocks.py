"""The blocks of a section of a report. What renders it decides how each looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from loadtests.stats.formatting import MISSING, format_interval, format_value

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate

_BRIEF = 18  # characters
Mark = Literal["shown", "open", "none", "passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `note` is small print under `text`, `key` the number of the target that it names.

    `interval`: the note is the interval of the figure in `text`.
    """

    text: str
    note: str = ""
    number: bool = False
    mark: Mark | None = None
    key: int | None = None
    interval: bool = False

    @property
    def brief(self) -> bool:
        """Whether the note stays on one line."""
        return len(self.note) <= _BRIEF


@dataclass(frozen=True, slots=True)
class Prose:
    """Paragraphs; `quiet` ones are small print. `of_charts`: they explain charts, and go where no chart is drawn."""

    kind: ClassVar[str] = "prose"
    paragraphs: Sequence[str]
    quiet: bool = False
    of_charts: bool = False


@dataclass(frozen=True, slots=True)
class Points:
    """A list; ordered by importance where that matters."""

    kind: ClassVar[str] = "points"
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of each row names it. `folded`: behind a line that opens it."""

    kind: ClassVar[str] = "table"
    caption: str
    headings: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    folded: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart: `spec` is Vega-Lite's, `text` says in words what it shows, `table` has its figures."""

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    spec: Mapping[str, Any]
    text: str
    table: Table | None = None
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Controls:
    """The inputs of the cost charts: steps of requests a month, and the free grants."""

    kind: ClassVar[str] = "controls"
    labels: Sequence[str]
    step: int


@dataclass(frozen=True, slots=True)
class Code:
    """Text to be copied as it is."""

    kind: ClassVar[str] = "code"
    text: str
    title: str = ""
    folded: bool = False


Block = Prose | Points | Table | Figure | Controls | Code


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report, in the order in which it is read; `name` is its address."""

    name: str
    title: str
    blocks: Sequence[Block]

    @property
    def label(self) -> str:
        """Its word in the page's navigation."""
        return self.name.capitalize()


def estimate_cell(estimate: Estimate) -> Cell:
    """The value with its interval below; where there is none, how many samples there are and why it takes more."""
    if estimate.value is None:
        return Cell(MISSING, str(estimate.reason), number=True)
    interval = format_interval(estimate).replace("-", "\N{EN DASH}")
    return Cell(format_value(estimate), interval, number=True, interval=bool(interval))


def count_cell(count: int) -> Cell:
    """A whole number."""
    return Cell(f"{count:,}", number=True)
