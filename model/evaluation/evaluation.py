"""Carry out one evaluation: measure, compute the figures, write the folder."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.record import machine
from model.evaluation import selection as subjects_of
from model.evaluation.photographs import Photographs, find
from model.evaluation.result import Row, Task, row, time_ratio, with_standings
from model.evaluation.rounds import MeasuredRounds, measure

if TYPE_CHECKING:
    from core.manifest import Manifest
    from loadtests.stats.estimate import Estimate
    from model.evaluation.price import PricedPlan
    from model.evaluation.processes import EvaluationSubject
    from model.evaluation.rounds import Told

SEED = 20261121


class NothingAnswered(RuntimeError):
    """No subject answered any photograph; the message has each one's reason."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to evaluate, on which photographs, and where it would be bought. Empty choices mean all."""

    folders: tuple[Path, ...]
    data: Path
    offer: PricedPlan
    variants: tuple[str, ...] = ()
    runtimes: tuple[str, ...] = ()
    photos: int | None = None
    starts: int = 9
    seed: int = SEED
    command: str = ""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The rows in the order of the models' manifests; the first is the one that others are compared with."""

    asked: Asked
    labels: tuple[str, ...]
    photographs: Photographs
    rows: tuple[Row, ...]
    ratios: tuple[Estimate, ...]
    measured: MeasuredRounds
    broken: tuple[str, ...]
    date: str
    machine: dict[str, Any] = field(default_factory=dict)

    @property
    def preferred(self) -> Row:
        """What the first model's manifest chooses here: the first variant on its first recommended runtime."""
        return next((each for each in self.rows if each.subject.recommended), self.rows[0])

    @property
    def noise(self) -> float:
        """How far a fixed piece of work varied, from its first tenth to its last, over its median."""
        return machine.spread(self.measured.spins_s)

    @property
    def noisy(self) -> bool:
        """Whether times should not be leaned on."""
        return self.noise > machine.NOISY_SPREAD


def evaluate(asked: Asked, *, told: Told) -> Evaluation:
    """Measure and work out. Raises DatasetError, ModelError, NothingToMeasure, NothingAnswered."""
    models = subjects_of.open_models(asked.folders)
    chosen = subjects_of.lineup(asked.folders, models, variants=asked.variants, runtimes=asked.runtimes)
    photographs = find(asked.data, models[0].labels, limit=asked.photos, seed=asked.seed)
    measured = measure(chosen, photographs.files, starts=asked.starts, seed=asked.seed, told=told)
    if not measured.answers:
        raise NothingAnswered("; ".join(f"{one.name}: {why}" for one, why in measured.unfit.items()))
    kept, whole, broken = _without_broken(photographs, measured)
    labels = models[0].labels
    truth = tuple(labels.index(label) for label in kept.labels)
    task = Task(labels, truth, logits=models[0].output == "logits")
    rows = _rows(whole, chosen, task=task, models=models, offer=asked.offer)
    first = next((each for each in rows if each.subject.recommended), rows[0]).subject
    ratios = tuple(time_ratio(whole.answers[each.subject], whole.answers[first]) for each in rows)
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Evaluation(
        asked=asked,
        labels=labels,
        photographs=kept,
        rows=tuple(rows),
        ratios=ratios,
        measured=whole,
        broken=broken,
        date=today,
        machine=machine.describe(),
    )


def _rows(
    measured: MeasuredRounds,
    chosen: Sequence[EvaluationSubject],
    *,
    task: Task,
    models: Sequence[Manifest],
    offer: PricedPlan,
) -> list[Row]:
    files = {
        (folder, variant.name): variant.file
        for folder, model in zip(dict.fromkeys(each.folder for each in chosen), models, strict=False)
        for variant in model.variants
    }
    rows = [
        row(
            subject,
            measured,
            task=task,
            size_bytes=files[subject.folder, subject.variant].stat().st_size,
            price=offer.usd_per_million,
        )
        for subject in chosen
        if subject in measured.answers
    ]
    return with_standings(rows)


def _without_broken(
    photographs: Photographs, measured: MeasuredRounds
) -> tuple[Photographs, MeasuredRounds, tuple[str, ...]]:
    """Leave out what some subject could not read as a photograph, for all alike. Raises NothingAnswered."""
    every = list(measured.answers.values())
    good = [place for place in range(len(photographs.files)) if not any(each[place].error for each in every)]
    broken = tuple(file.name for place, file in enumerate(photographs.files) if place not in set(good))
    if not good:
        raise NothingAnswered(f"none of {len(broken)} photographs could be read: {every[0][0].error}")
    kept = Photographs(
        photographs.folder,
        tuple(photographs.files[place] for place in good),
        tuple(photographs.labels[place] for place in good),
    )
    answers = {subject: [each[place] for place in good] for subject, each in measured.answers.items()}
    whole = MeasuredRounds(answers, measured.starts_s, measured.peak_mb, measured.unfit, measured.spins_s)
    return kept, whole, broken
