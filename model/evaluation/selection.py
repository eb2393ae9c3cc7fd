"""Choose which variants of which models are measured on which runtimes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import manifest, runtime
from model.evaluation.processes import EvaluationSubject

if TYPE_CHECKING:
    from core.manifest import Manifest, Variant

_TFLITE = ("litert-direct", "litert", "tflite-runtime")


class NothingToMeasure(ValueError):
    """No variant and runtime is left; the message names those that there are."""


def open_models(folders: Sequence[Path]) -> list[Manifest]:
    """Their manifests. Raises ModelError, and NothingToMeasure where they differ in their labels."""
    found = [manifest.load(folder) for folder in folders]
    for other in found[1:]:
        if set(other.labels) != set(found[0].labels):
            raise NothingToMeasure(
                f"models {found[0].name} and {other.name} have other labels: only models of one task can be compared"
            )
    for each in found:
        if each.features:
            raise NothingToMeasure(f"model {each.name} takes feature vectors: evaluate is for models of images")
    return found


def lineup(
    folders: Sequence[Path], models: Sequence[Manifest], *, variants: Sequence[str], runtimes: Sequence[str]
) -> list[EvaluationSubject]:
    """Every variant on every runtime of its family that is installed; empty choices mean all.

    Raises NothingToMeasure.
    """
    found = [
        EvaluationSubject(name, folder, variant.name, one, recommended=one in variant.runtimes)
        for name, folder, model in zip(_names(models), folders, models, strict=True)
        for variant in model.variants
        if not variants or variant.name in variants
        for one in _family(variant)
        if not runtimes or one in runtimes
    ]
    if not found:
        names = sorted({variant.name for model in models for variant in model.variants})
        known = sorted({one for model in models for variant in model.variants for one in _family(variant)})
        raise NothingToMeasure(
            f"nothing is left to measure: the variants are {', '.join(names)}; "
            f"the runtimes that are installed for them are {', '.join(known) or 'none'}"
        )
    return found


def _names(models: Sequence[Manifest]) -> list[str]:
    """Each model's name, with a number where two have the same."""
    names = [model.name for model in models]
    return [name if names.count(name) == 1 else f"{name}#{place + 1}" for place, name in enumerate(names)]


def _family(variant: Variant) -> list[str]:
    wanted = _TFLITE if variant.file.suffix == ".tflite" else variant.runtimes
    return [one for one in wanted if one in runtime.usable()]
