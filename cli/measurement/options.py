"""The options of `compare` and `tune`, as typed on the command line; each command builds its record once."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementOptions:
    """What `compare` and `tune` have in common; each field has the name of its option."""

    clouds: str | None
    targets: str | None
    deploy: str | None
    budget: float | None
    hours: float | None
    yes: bool
    report_wait: float
    images: Path | None
    model: str
    seed: int
    out: Path | None
    as_json: bool
    quiet: bool

    @property
    def local_clouds(self) -> list[str] | None:
        """The names given with --clouds; None for all local clouds."""
        return self.clouds.split(",") if self.clouds else None

    @property
    def deployed_clouds(self) -> list[str]:
        """The names given with --deploy."""
        return [name for name in (self.deploy or "").split(",") if name]

    @property
    def budget_usd(self) -> Decimal | None:
        """--budget, exact; None without one."""
        return None if self.budget is None else Decimal(str(self.budget))


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions(MeasurementOptions):
    """The options of `tripoint compare`."""

    memory: int | None
    scenario: str
    rate: float | None
    precision: float | None
    against: str | None
    threshold: float
    estimate: bool
    workers: int
    resume: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TuneOptions(MeasurementOptions):
    """The options of `tripoint tune`. Memory, concurrency, architecture and python are lists with commas."""

    memory: str | None
    concurrency: str | None
    architecture: str | None
    python: str | None
    strategy: str
    minutes: float
