"""Write the manifest of a trained model: what the core's loader needs, and how the model was made."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.stats.proportion import Proportion

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class VariantEntry:
    """One TFLite file of a model; `preprocessing` and `runtimes` are the core's words for them."""

    name: str
    file: str
    sha256: str
    bytes: int
    input_dtype: str
    preprocessing: str
    runtimes: tuple[str, ...]
    validation_accuracy: float


# How each variant is fed and which runtimes suit it, in order of preference. tflite-runtime 2.14 runs int8
# without XNNPACK, eight times slower than float, so it gets the float16 file.
KINDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "int8": ("uint8", "raw", ("litert-direct", "litert")),
    "float16": ("float32", "tf", ("tflite-runtime", "litert")),
}


def describe_variant(kind: str, file: Path, *, accuracy: float) -> VariantEntry:
    """Return the record of `file`, a variant of one of the KINDS, with its size and digest."""
    content = file.read_bytes()
    dtype, preprocessing, runtimes = KINDS[kind]
    return VariantEntry(
        kind,
        file.name,
        hashlib.sha256(content).hexdigest(),
        len(content),
        dtype,
        preprocessing,
        runtimes,
        round(accuracy, 4),
    )


def manifest(
    *,
    identity: tuple[str, str, str],
    labels: Sequence[str],
    size: int,
    draft: float,
    variants: Sequence[VariantEntry],
    validation: Proportion,
    training: Mapping[str, object],
) -> dict[str, object]:
    """Return the manifest document; `identity` is name, version and title, `validation` that of the first variant."""
    name, version, title = identity
    return {
        "schema": SCHEMA,
        "name": name,
        "version": version,
        "title": title,
        "labels": list(labels),
        "input": {"height": size, "width": size, "resampling": "bilinear", "exif": "apply", "draft": draft or False},
        "output": "probabilities",
        "variants": [asdict(variant) for variant in variants],
        "validation": {
            "images": validation.n,
            "accuracy": round(validation.value, 4),
            "lo": round(validation.lo, 4),
            "hi": round(validation.hi, 4),
            "interval": "Wilson 95 %",
        },
        "training": dict(training),
        "licence": "Apache-2.0",
    }


def write_manifest(document: Mapping[str, object], file: Path) -> None:
    """Write `document` as indented JSON."""
    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
