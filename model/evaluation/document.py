"""Write an evaluation as a JSON document, with the raw answers from which each figure can be recomputed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loadtests.stats.estimate import Estimate
    from model.evaluation.evaluation import Evaluation
    from model.evaluation.result import Row

SCHEMA = 1


def document(found: Evaluation) -> dict[str, Any]:
    """Everything but the raw answers; it names no folder of the machine."""
    return {
        "schema": SCHEMA,
        "date": found.date,
        "command": found.asked.command,
        "machine": found.machine,
        "noise": {"spread": found.noise, "noisy": found.noisy},
        "photographs": {"folder": found.photographs.folder.name, "count": len(found.photographs.files)},
        "broken": list(found.broken),
        "labels": list(found.labels),
        "plan": found.asked.offer.words,
        "seed": found.asked.seed,
        "rows": [_row(each, ratio, found.labels) for each, ratio in zip(found.rows, found.ratios, strict=True)],
        "unfit": {subject.name: reason for subject, reason in found.measured.unfit.items()},
    }


def _row(row: Row, ratio: Estimate, labels: tuple[str, ...]) -> dict[str, Any]:
    subject = row.subject
    return {
        "model": subject.model,
        "variant": subject.variant,
        "runtime": subject.runtime,
        "recommended": subject.recommended,
        "standing": row.standing,
        "size_bytes": row.size_bytes,
        "accuracy": asdict(row.accuracy),
        "calibration_error": estimate(row.calibration_error),
        "inference_ms": estimate(row.inference_ms),
        "inference_over_first": estimate(ratio),
        "request_ms": estimate(row.request_ms),
        "request_p95_ms": estimate(row.request_p95_ms),
        "start_ms": estimate(row.start_ms),
        "peak_mb": row.peak_mb,
        "usd_per_million": estimate(row.usd_per_million),
        "by_class": [asdict(each) for each in row.classes(labels)],
        "confusion": row.counts.tolist(),
    }


def estimate(one: Estimate) -> dict[str, Any]:
    """Value and interval, or the reason why there is none."""
    return {"value": one.value, "lo": one.lo, "hi": one.hi, "n": one.n, "reason": one.reason}


def write_answers(found: Evaluation, file: Path) -> None:
    """One JSON line for each photograph and subject: scores by label, times in ms; then one for each fresh start."""
    with gzip.open(file, "wt", encoding="utf-8", compresslevel=6) as stream:
        for line in _lines(found):
            stream.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")


def _lines(found: Evaluation) -> Iterator[dict[str, Any]]:
    for subject, answers in found.measured.answers.items():
        who = {"model": subject.model, "variant": subject.variant, "runtime": subject.runtime}
        for file, label, answer in zip(found.photographs.files, found.photographs.labels, answers, strict=True):
            yield {**who, "file": file.name, "label": label, "scores": answer.scores, "times_ms": answer.times_ms}
        yield from ({**who, "start_s": start_s} for start_s in found.measured.starts_s[subject])
