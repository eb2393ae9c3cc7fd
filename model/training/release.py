"""Write trained weights as a model folder: TFLite variants, their accuracy, the manifest, the evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from loadtests.stats.proportion import wilson
from model.manifest_writer import KINDS, VariantEntry, describe_variant, manifest, write_manifest
from model.training.accuracy import by_class, confusion, scores
from model.training.dataset import Photos, files_of, read_photo, read_split
from model.training.export import scaled, to_float16, to_int8

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.training.architecture import Weights

CALIBRATION_PHOTOS = 300
# JPEGs are decoded at no less than this share of the input: a photograph of 400 x 533 at half its size for 224.
DRAFT = 0.85
DRAFT_TOLERANCE = 0.003


@dataclass(frozen=True, slots=True)
class Identity:
    """What a model is called."""

    name: str
    version: str
    title: str


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where the photographs come from and where the model goes: `data` holds `train` and `validation`."""

    data: Path
    out: Path
    labels: tuple[str, ...]
    size: int


def release(
    weights: Sequence[Weights], identity: Identity, *, place: Workplace, training: Mapping[str, object]
) -> dict[str, object]:
    """Write the variants, `manifest.json` and `evaluation.json` to `place.out`; return the manifest.

    The manifest allows JPEGs to be decoded at DRAFT times the input's size when that costs at most 0.3 points.
    """
    files = export(weights, place)
    validation = place.data / "validation"
    photos = read_split(validation, place.labels, size=place.size)
    hasty = read_split(validation, place.labels, size=place.size, draft=DRAFT)
    found = {kind: _found(kind, file, photos) for kind, file in files.items()}
    preferred = next(iter(files))
    right = {kind: int((classes == photos.classes).sum()) for kind, classes in found.items()}
    draft_right = int((_found(preferred, files[preferred], hasty) == photos.classes).sum())
    variants = [describe_variant(k, file, accuracy=right[k] / len(photos)) for k, file in files.items()]
    document = manifest(
        identity=(identity.name, identity.version, identity.title),
        labels=place.labels,
        size=place.size,
        draft=DRAFT if (right[preferred] - draft_right) / len(photos) <= DRAFT_TOLERANCE else 0.0,
        variants=variants,
        validation=wilson(right[preferred], len(photos)),
        training={**training, "validation_accuracy_with_draft": round(draft_right / len(photos), 4)},
    )
    write_manifest(document, place.out / "manifest.json")
    _write_evaluation(found, photos, variants, place)
    return document


def export(weights: Sequence[Weights], place: Workplace) -> dict[str, Path]:
    """Write every variant; return kind -> file, in order of preference."""
    classes = len(place.labels)
    files = {kind: place.out / f"{place.out.name}-{kind}.tflite" for kind in KINDS}
    calibration = calibration_photos(place)
    files["int8"].write_bytes(to_int8(weights, classes, size=place.size, photos=calibration))
    files["float16"].write_bytes(to_float16(weights, classes, size=place.size))
    return files


def calibration_photos(place: Workplace) -> NDArray[np.uint8]:
    """About 300 training photographs, evenly from all classes, uint8 [N, size, size, 3]."""
    files = files_of(place.data / "train", place.labels)
    chosen = files[:: max(1, len(files) // CALIBRATION_PHOTOS)]
    return np.stack([read_photo(file, place.size) for file, _ in chosen])


def _found(kind: str, file: Path, photos: Photos) -> NDArray[np.int64]:
    """The class that a variant finds for each photograph, fed as the core feeds it."""
    tensors = photos.images if KINDS[kind][1] == "raw" else scaled(photos.images)
    return np.asarray(scores(file, tensors).argmax(axis=1), np.int64)


def _write_evaluation(
    found: Mapping[str, NDArray[np.int64]], photos: Photos, variants: Sequence[VariantEntry], place: Workplace
) -> None:
    """Per variant: accuracy with its interval, the table by class, and the confusion matrix."""
    document: dict[str, object] = {"labels": list(place.labels), "images": len(photos)}
    for variant in variants:
        counts = confusion(photos.classes, found[variant.name], len(place.labels))
        document[variant.name] = {
            "accuracy": asdict(wilson(int(counts.trace()), len(photos))),
            "by_class": [asdict(row) for row in by_class(counts, place.labels)],
            "confusion": counts.tolist(),
        }
    text = json.dumps(document, indent=1) + "\n"
    (place.out / "evaluation.json").write_text(text, encoding="utf-8")
