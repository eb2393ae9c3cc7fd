"""Compute each subject's accuracy, calibration, latency, start-up, memory, size and cost. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.estimate import Estimate
from loadtests.stats.pareto import ParetoStatus, pareto_statuses
from loadtests.stats.percentiles import MEDIAN, percentile
from loadtests.stats.proportion import Proportion, wilson
from model.evaluation.calibration import calibration, confidences
from model.training.accuracy import ClassResult, by_class, confusion

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.evaluation.processes import EvaluationSubject, PhotographAnswer
    from model.evaluation.rounds import MeasuredRounds

    Price = Callable[[Sequence[float], float], Estimate]


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one subject; `size_bytes` is its file's. `usd_per_million` is at the plan that was chosen."""

    subject: EvaluationSubject
    size_bytes: int
    accuracy: Proportion
    calibration_error: Estimate
    inference_ms: Estimate
    request_ms: Estimate
    request_p95_ms: Estimate
    start_ms: Estimate
    peak_mb: float
    usd_per_million: Estimate
    counts: NDArray[np.int64]
    standing: ParetoStatus | None = None

    def classes(self, labels: Sequence[str]) -> list[ClassResult]:
        """Recall and precision of each class that has photographs."""
        return by_class(self.counts, labels)


@dataclass(frozen=True, slots=True)
class Task:
    """What the photographs show: `truth` holds each one's place in `labels`. `logits` tells what the scores are."""

    labels: tuple[str, ...]
    truth: tuple[int, ...]
    logits: bool


def row(subject: EvaluationSubject, measured: MeasuredRounds, *, task: Task, size_bytes: int, price: Price) -> Row:
    """The figures of one subject that answered every photograph."""
    answers = measured.answers[subject]
    scores = _scores(answers, task.labels)
    found, truth = scores.argmax(axis=1), np.array(task.truth)
    counts = confusion(truth, found, len(task.labels))
    whole_ms = [each.whole_ms for each in answers]
    start_ms = _milliseconds(measured.starts_s[subject])
    return Row(
        subject=subject,
        size_bytes=size_bytes,
        accuracy=wilson(int(counts.trace()), len(answers)),
        calibration_error=calibration(confidences(scores, logits=task.logits), found == truth),
        inference_ms=_median([each.times_ms[2] for each in answers]),
        request_ms=_median(whole_ms),
        request_p95_ms=percentile(np.array(whole_ms, dtype=np.float64), 0.95),
        start_ms=_median(start_ms),
        peak_mb=measured.peak_mb[subject],
        usd_per_million=price(whole_ms, float(np.median(start_ms)) if start_ms else 0.0),
        counts=counts,
    )


def with_standings(rows: Sequence[Row]) -> list[Row]:
    """Where each row stands among all: on the frontier of error, time and cost, near it, or surely beaten."""
    points = [(error_rate(each.accuracy), each.request_ms, each.usd_per_million) for each in rows]
    return [replace(each, standing=found) for each, found in zip(rows, pareto_statuses(points), strict=True)]


def error_rate(accuracy: Proportion) -> Estimate:
    """The share of wrong answers: smaller is better, as of time and money."""
    return Estimate(n=accuracy.n, value=1 - accuracy.value, lo=1 - accuracy.hi, hi=1 - accuracy.lo)


def time_ratio(upper: Sequence[PhotographAnswer], lower: Sequence[PhotographAnswer]) -> Estimate:
    """Median of the ratio of inference times, photograph by photograph: what slowed a round down slowed both."""
    times = [np.array([each.times_ms[2] for each in side], dtype=np.float64) for side in (upper, lower)]
    return percentile(times[0] / times[1], MEDIAN)


def _scores(answers: Sequence[PhotographAnswer], labels: Sequence[str]) -> NDArray[np.float64]:
    return np.array([[each.scores[label] for label in labels] for each in answers], dtype=np.float64)


def _milliseconds(seconds: Sequence[float]) -> list[float]:
    return [each * 1000 for each in seconds]


def _median(values: Sequence[float]) -> Estimate:
    return percentile(np.array(values, dtype=np.float64), MEDIAN)
