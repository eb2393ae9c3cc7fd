"""Register a described file as a model: write its folder, and try it on every runtime."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from model.registry import model_folder, trial
from model.registry.description import describe
from model.registry.normalisation import KNOWN

if TYPE_CHECKING:
    from model.registry.description import Answers, Inspected
    from model.registry.trial import Trial


@dataclass(frozen=True, slots=True)
class ModelCandidate:
    """A model in its draft folder, tried; `document` is its manifest, `trials` what every runtime made of it."""

    name: str
    folder: Path
    document: Mapping[str, Any]
    trials: tuple[Trial, ...]


def prepare(inspected: Inspected, answers: Answers, *, folder: Path, images: Sequence[Path]) -> ModelCandidate:
    """Fill `folder` with the model and try it on `images` with every runtime.

    Raises Undecided for what is still to be asked, RegistryError when the model cannot be served.
    """
    source = inspected.graph.file
    name = model_lookup.check_name(answers.name or model_lookup.name_for(source))
    document = describe(inspected, answers, name=name)
    document["variants"][0]["sha256"] = model_folder.put_file(source, folder)
    document["variants"][0]["bytes"] = source.stat().st_size
    trials = tuple(_try_all(document, folder, images))
    working = [each for each in trials if each.failure is None]
    if not working:
        reasons = "; ".join(f"{each.runtime}: {each.failure}" for each in trials)
        raise RegistryError(f"{source} runs on no runtime that is installed here: {reasons}")
    document["variants"][0]["runtimes"] = [each.runtime for each in working]
    document["output"] = answers.output or inspected.graph.output_kind or _kind_by(working[0])
    model_folder.write(document, folder)
    return ModelCandidate(name, folder, document, trials)


def _try_all(document: dict[str, Any], folder: Path, images: Sequence[Path]) -> Iterator[Trial]:
    """One runtime after the other, each alone in the manifest, in the order of preference."""
    for name in document["variants"][0]["runtimes"]:
        model_folder.write(document | {"variants": [document["variants"][0] | {"runtimes": [name]}]}, folder)
        yield trial.try_on(folder, name, images)


def _kind_by(tried: Trial) -> str:
    return "probabilities" if tried.looks_like_probabilities else "logits"


def compare_ways(
    inspected: Inspected, answers: Answers, *, folder: Path, image: Path
) -> dict[str, tuple[str, float]]:
    """What the model says of one photograph with each way of preprocessing, for a user who does not know which."""
    found = {}
    for way in KNOWN:
        document = describe(inspected, replace(answers, preprocessing=way), name="draft")
        document["variants"][0]["sha256"] = model_folder.put_file(inspected.graph.file, folder)
        tried = next((each for each in _try_all(document, folder, [image]) if each.failure is None), None)
        if tried is not None:
            found[way] = tried.answers[0].best[0]
    return found
