"""Measure in rounds: all subjects answer the same photograph in random order, so that drift hits all alike."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from loadtests.record.machine import reference_work_s
from model.evaluation.processes import EvaluationProcess, SubjectUnfit

if TYPE_CHECKING:
    from model.evaluation.processes import EvaluationSubject, PhotographAnswer

    Told = Callable[[str, int, int], None]

_WARM_UP = 5


@dataclass(frozen=True, slots=True)
class MeasuredRounds:
    """By subject: an answer for each photograph, seconds of fresh starts, peak memory; or why there is nothing.

    `spins_s` are the seconds of a fixed piece of work, once a round: how evenly the machine ran.
    """

    answers: dict[EvaluationSubject, list[PhotographAnswer]] = field(default_factory=dict)
    starts_s: dict[EvaluationSubject, list[float]] = field(default_factory=dict)
    peak_mb: dict[EvaluationSubject, float] = field(default_factory=dict)
    unfit: dict[EvaluationSubject, str] = field(default_factory=dict)
    spins_s: list[float] = field(default_factory=list)


def measure(
    subjects: Sequence[EvaluationSubject], photos: Sequence[Path], *, starts: int, seed: int, told: Told
) -> MeasuredRounds:
    """Measure accuracy and latency over all photographs, then `starts` fresh starts of each subject."""
    found, dice = MeasuredRounds(), random.Random(seed)
    with ExitStack() as running:
        up = _start(subjects, photos[0], found, running=running, told=told)
        _answer_all(up, photos, found, dice=dice, told=told)
    _start_afresh(
        [each for each in subjects if each in found.answers], photos[0], found, starts=starts, dice=dice, told=told
    )
    return found


def _start(
    subjects: Sequence[EvaluationSubject], first: Path, found: MeasuredRounds, *, running: ExitStack, told: Told
) -> list[EvaluationProcess]:
    """Those that start; the reason is kept for the others."""
    up = []
    for number, subject in enumerate(subjects):
        try:
            up.append(running.enter_context(EvaluationProcess(subject, first)))
        except SubjectUnfit as error:
            found.unfit[subject] = str(error)
        told("open each variant", number + 1, len(subjects))
    return up


def _answer_all(
    up: Sequence[EvaluationProcess], photos: Sequence[Path], found: MeasuredRounds, *, dice: random.Random, told: Told
) -> None:
    for one in up:
        found.answers[one.subject] = []
        for photo in photos[:_WARM_UP]:
            one.answer(photo)
    for number, photo in enumerate(photos):
        found.spins_s.append(reference_work_s())
        for one in dice.sample(up, len(up)):
            found.answers[one.subject].append(one.answer(photo))
        told("photographs", number + 1, len(photos))
    for one in up:
        found.peak_mb[one.subject] = one.end()


def _start_afresh(
    subjects: Sequence[EvaluationSubject],
    first: Path,
    found: MeasuredRounds,
    *,
    starts: int,
    dice: random.Random,
    told: Told,
) -> None:
    """The starts that came before have warmed the page cache; these count."""
    for subject in subjects:
        found.starts_s[subject] = []
    for number in range(starts):
        for subject in dice.sample(subjects, len(subjects)):
            with EvaluationProcess(subject, first) as one:
                found.starts_s[subject].append(one.start_s)
                one.end()
        told("fresh starts", number + 1, starts)
