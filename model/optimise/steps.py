"""Carry out the steps, each in a model folder of its own, and measure all of them side by side."""

from __future__ import annotations

import tempfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert import Conversion, convert
from model.convert.errors import ConvertError
from model.evaluation.evaluation import Asked, Evaluation, evaluate
from model.optimise.mcnemar import AccuracyChange, change
from model.training.dataset import Photos, labels_of, read_split

if TYPE_CHECKING:
    from model.convert.source_metadata import Known
    from model.evaluation.price import PricedPlan
    from model.evaluation.result import Row
    from model.optimise.tuning import Tuning

    Told = Callable[[str, int, int], None]

STEPS = ("quantise", "prune", "distil")
QUANTISED = ("int8", "float16", "dynamic", "weight-only")
RETRAINED = ("int8", "float16")
MARGIN = 8 / 7  # training sees a random part of a photograph
RUNTIME = "litert"


@dataclass(frozen=True, slots=True)
class OptimisationPlan:
    """What to optimise: a source that is known, photographs in `data/train` and `data/validation`, and the steps.

    `sparsity` is the share of weights that pruning removes; `student_size` the side of the distilled model's input.
    """

    known: Known
    data: Path
    out: Path
    offer: PricedPlan
    tuning: Tuning
    steps: tuple[str, ...] = STEPS
    sparsity: float = 0.5
    student_size: int = 160
    photos: int | None = None
    replace: bool = False

    def __post_init__(self) -> None:
        if "qat" in self.steps:
            raise ConvertError(
                "quantisation-aware training is not offered: tensorflow-model-optimization works with Keras 2 alone, "
                "and no kept-up tool does it for Keras 3; int8 after training is --steps quantise"
            )
        strange = [step for step in self.steps if step not in STEPS]
        if strange or not self.steps:
            raise ConvertError(f"unknown step {', '.join(strange) or 'nothing'}: expected some of {', '.join(STEPS)}")
        if set(self.steps) & {"prune", "distil"} and self.known.preprocessing != "tf":
            raise ConvertError(
                f"prune and distil train on images in -1..1, preprocessing tf; this model's is "
                f"{self.known.preprocessing}: use --steps quantise"
            )


@dataclass(frozen=True, slots=True)
class Line:
    """One variant of one step beside the original: the first line is the original itself, unchanged."""

    row: Row
    change: AccuracyChange
    zipped_bytes: int


def optimise(plan: OptimisationPlan, *, told: Told) -> tuple[Evaluation, list[Line]]:
    """Carry out the steps and measure them on the validation photographs. Raises ConvertError, DatasetError."""
    folders = [_quantised("original", ("float32",), plan, told)]
    if "quantise" in plan.steps:
        folders.append(_quantised("quantised", QUANTISED, plan, told))
    if set(plan.steps) & {"prune", "distil"}:
        folders += _retrained(plan, told)
    asked = Asked(
        tuple(folders),
        plan.data,
        plan.offer,
        runtimes=(RUNTIME,),
        photos=plan.photos,
        starts=0,
        command="tripoint model optimise",
    )
    found = evaluate(asked, told=told)
    return found, _lines(found)


def _conversion(name: str, kinds: tuple[str, ...], plan: OptimisationPlan) -> Conversion:
    known = plan.known
    return Conversion(
        source=known.file,
        out=plan.out / name,
        labels=known.labels or labels_of(plan.data / "train"),
        representative=plan.data / "train",
        preprocessing=known.preprocessing or "tf",
        kinds=kinds,
        resampling=known.resampling or "bilinear",
        orient=known.orient,
        draft=known.draft,
        output=known.output,
        licence=known.licence,
        min_agreement=0.0,  # what a step loses is what is to be shown
        replace=plan.replace,
    )


def _quantised(name: str, kinds: tuple[str, ...], plan: OptimisationPlan, told: Told) -> Path:
    asked = _conversion(name, kinds, plan)
    convert(asked, told=lambda phase, done, total: told(f"{name}: {phase}", done, total))
    return asked.out


def _retrained(plan: OptimisationPlan, told: Told) -> list[Path]:
    """Pruned and distilled models; both learn from the original's answers."""
    from model.optimise.pruning import masks
    from model.optimise.trainable import open_trainable, resized
    from model.optimise.tuning import Tuner

    side = _side(plan.out / "original")
    teacher = open_trainable(plan.known.file, size=side)
    labels = labels_of(plan.data / "train")
    photos = _read(plan, "train", labels=labels, size=round(side * MARGIN), told=told)
    validation = _read(plan, "validation", labels=labels, size=side, told=told)
    folders = []
    for step, size in (("prune", side), ("distil", plan.student_size)):
        if step not in plan.steps:
            continue
        student = resized(teacher, size)
        held = masks(student, plan.sparsity) if step == "prune" else []
        Tuner(student, teacher, how=plan.tuning, held=held).tune(photos, validation, phase=step, told=told)
        folders.append(_save(student, {"prune": "pruned", "distil": "distilled"}[step], plan, told))
    return folders


def _save(network: Any, name: str, plan: OptimisationPlan, told: Told) -> Path:
    with tempfile.TemporaryDirectory(prefix="tripoint-optimise-") as folder:
        file = Path(folder) / f"{name}.keras"
        network.save(file)
        asked = replace(_conversion(name, RETRAINED, plan), source=file)
        convert(asked, told=lambda phase, done, total: told(f"{name}: {phase}", done, total))
    return asked.out


def _side(folder: Path) -> int:
    from core import manifest

    size = manifest.load(folder).input
    if size.height != size.width:
        raise ConvertError(f"the input is {size.height} x {size.width}: prune and distil are for square ones")
    return size.height


def _read(plan: OptimisationPlan, split: str, *, labels: tuple[str, ...], size: int, told: Told) -> Photos:
    return read_split(
        plan.data / split, labels, size=size, progress=lambda done, total: told(f"read {split}", done, total)
    )


def _lines(found: Evaluation) -> list[Line]:
    truth = np.array(found.photographs.labels)
    right = {
        row.subject: np.array(
            [max(each.scores, key=each.scores.__getitem__) for each in found.measured.answers[row.subject]]
        )
        == truth
        for row in found.rows
    }
    first = right[found.rows[0].subject]
    return [Line(row, change(first, right[row.subject]), _zipped(row)) for row in found.rows]


def _zipped(row: Row) -> int:
    """Bytes as every cloud's bundle carries the file: deflated."""
    from core import manifest

    variants = manifest.load(row.subject.folder).variants
    file = next(each.file for each in variants if each.name == row.subject.variant)
    return len(zlib.compress(file.read_bytes(), 6))
