"""Published measurements of an empty Python function on a real cloud: `published.toml` in the cloud's folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from adapters import contract

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE_NAME = "published.toml"
N_MIN = 30  # a series of fewer measurements gives no figure
AGE_MAX_YEARS = 6  # an older one gives none either
_GRID = 99

# "init": the platform's own word for start and initialisation (Lambda's Init Duration). "cold" and "warm": what a
# client in the same region waited for the answer of a cold and of a warm request.
What = Literal["init", "cold", "warm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSeries:
    """One published distribution, in ms: `ms[i]` is the quantile at `quantiles[i]`, ascending.

    `plan` is the plan that it holds for. `n` is the number of measurements, None where it was not published.
    `python`, `package` ("zip" or "image") and `architecture` are empty where the series is not told apart by them.
    `about` says what was measured, `caveat` in what it differs from the plan of today.
    """

    what: What
    plan: str
    year: int
    n: int | None
    source: str
    licence: str
    quantiles: Sequence[float]
    ms: Sequence[float]
    about: str = ""
    caveat: str = ""
    python: str = ""
    package: str = ""
    architecture: str = ""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PublishedSeries:
        """Read one table of `published.toml`. Raises ValueError naming what is wrong."""
        known = {each.name for each in fields(cls)}
        if unknown := sorted(set(document) - known):
            raise ValueError(
                f"published series has unknown {', '.join(unknown)}: expected {', '.join(sorted(known))}"
            )
        found = cls(**{"n": None, **document})
        for name in ("quantiles", "ms"):
            values = list(getattr(found, name))
            if not values or values != sorted(values) or len(values) != len(found.ms):
                raise ValueError(
                    f"published series {found.what} of {found.source}: expected {name} in ascending order"
                )
        return found

    @property
    def median_ms(self) -> float:
        return self.at(0.5)

    @property
    def is_distribution(self) -> bool:
        """Whether more than its median is known."""
        return len(self.ms) > 1

    def at(self, q: float) -> float:
        """The q-quantile in ms, between two known ones on a straight line."""
        return float(np.interp(q, self.quantiles, self.ms))

    def grid(self) -> NDArray[np.float64]:
        """Values that stand for the distribution, all as likely as each other, in ms."""
        return np.interp((np.arange(_GRID) + 0.5) / _GRID, self.quantiles, self.ms)

    def unusable(self, year: int) -> str | None:
        """Why it gives no figure in `year`; None where it does."""
        if self.n is not None and self.n < N_MIN:
            return f"too thin: {self.words()}"
        if year - self.year > AGE_MAX_YEARS:
            return f"too old: {self.words()}"
        return None

    def words(self) -> str:
        """What it is, from when and from how many measurements."""
        counted = "n not published" if self.n is None else f"n = {self.n:,}"
        caveat = f"; {self.caveat}" if self.caveat else ""
        return f"{self.about} ({self.source}, {self.year}, {counted}{caveat})"


def published(cloud: str) -> list[PublishedSeries]:
    """Everything published of one cloud; nothing for a cloud without such a file. Raises LookupError, ValueError."""
    path = contract.load(cloud).folder / FILE_NAME
    if not path.is_file():
        return []
    tables = tomllib.loads(path.read_text(encoding="utf-8"))["series"]
    return [PublishedSeries.from_document(table) for table in tables]


def series_of(every: Sequence[PublishedSeries], what: What, plan: str, **told_apart: str) -> list[PublishedSeries]:
    """The series of that kind and plan, and of that `python`, `package` and `architecture` where they have one."""
    return [
        each
        for each in every
        if (each.what, each.plan) == (what, plan)
        and all(getattr(each, name) in ("", value) for name, value in told_apart.items())
    ]
