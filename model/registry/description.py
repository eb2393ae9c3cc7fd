"""Describe a model file for its manifest: from the file itself, from the user, and what is still unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.bundle.model_lookup import RegistryError
from model.manifest_writer import SCHEMA
from model.registry import graph, labels, metadata, model_folder, model_type, normalisation, onnx_graph, trial
from model.registry.errors import MissingAnswers
from model.registry.normalisation import KNOWN, PRESETS, Normalisation

if TYPE_CHECKING:
    from model.registry.graph import Graph
    from model.registry.metadata import Embedded

WAYS = (*KNOWN, "quantised")


@dataclass(frozen=True, slots=True)
class Answers:
    """What the user says of a model; None: let the file tell.

    `preprocessing` is one of WAYS; `mean` and `std` are of 0..255 and go with none of them. `background` is as in
    `labels.fit`.
    """

    name: str | None = None
    labels: str | None = None
    preset: str | None = None
    preprocessing: str | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channels: str | None = None
    input_size: tuple[int, int] | None = None
    output: str | None = None
    resampling: str | None = None
    draft: float = 0.0
    background: bool | None = None
    title: str | None = None
    version: str | None = None
    licence: str | None = None

    def with_answer(self, question: MissingAnswers, said: str) -> Answers:
        """These and the answer to one question."""
        return replace(self, labels=said) if question.answer == "labels" else replace(self, preprocessing=said)


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that is an image classifier, and what it says of itself."""

    graph: Graph
    embedded: Embedded


def inspect(file: Path) -> Inspected:
    """Read a .tflite or .onnx file and check that it is a classifier of images. Raises RegistryError."""
    found = onnx_graph.read(file) if file.suffix.lower() == onnx_graph.SUFFIX else graph.read(file)
    model_type.check(found)
    return Inspected(found, metadata.read(found))


def describe(inspected: Inspected, answers: Answers, *, name: str) -> dict[str, Any]:
    """The manifest of a file, but for its sha256 and the runtimes that prove to work.

    Raises Undecided for what neither the file nor the user tells, RegistryError for what cannot be.
    """
    image, embedded = inspected.graph.inputs[0], inspected.embedded
    found = _labels(inspected, answers)
    height, width = _size(inspected, answers)
    preset = PRESETS[answers.preset] if answers.preset else None
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "name": name,
        "version": answers.version or embedded.version or "1",
        "title": answers.title or _title(embedded.title) or name,
        "labels": list(found),
        "input": {
            "height": height,
            "width": width,
            "resampling": answers.resampling or (preset.resampling if preset else "bilinear"),
            "exif": "apply",
            "draft": answers.draft or False,
        },
        "output": answers.output or inspected.graph.output_kind or "logits",
        "variants": [
            {
                "name": image.dtype,
                "file": model_folder.file_name(inspected.graph.file),
                "sha256": "0" * 64,
                "input_dtype": image.dtype,
                **_feeding(inspected, answers),
                "runtimes": list(trial.candidates(inspected.graph.file)),
            }
        ],
        "source": {"file": inspected.graph.file.name, "added": f"{datetime.now(UTC):%Y-%m-%d}"},
    }
    if model_type.is_channels_first(image):
        document["variants"][0]["layout"] = "nchw"
    licence = answers.licence or embedded.licence
    return document | ({"licence": licence} if licence else {})


def _title(embedded: str | None) -> str | None:
    """The embedded name, unless it is that of a tool's template."""
    return None if embedded in (None, "ImageClassifier") else embedded


def _labels(inspected: Inspected, answers: Answers) -> tuple[str, ...]:
    found = labels.read(answers.labels) if answers.labels else inspected.embedded.labels
    if not found:
        raise MissingAnswers(
            "labels",
            f"{inspected.graph.file} names no labels for its {inspected.graph.scores} scores: "
            "give a text file with one label per line, in the scores' order, with --labels FILE",
        )
    return labels.fit(found, inspected.graph.scores, background=answers.background)


def _size(inspected: Inspected, answers: Answers) -> tuple[int, int]:
    found = model_type.size_of(inspected.graph.inputs[0])
    if answers.input_size not in (None, found):
        said = " x ".join(map(str, answers.input_size or ()))
        raise RegistryError(
            f"{inspected.graph.file} takes images of {found[0]} x {found[1]} px, --input-size says {said}: "
            "leave it out, or convert the model for that size"
        )
    return found


def _feeding(inspected: Inspected, answers: Answers) -> dict[str, Any]:
    """How pixels are fed: as the user says, else by the input's integers, the description, the graph itself."""
    image = inspected.graph.inputs[0]
    if answers.preprocessing == "quantised":
        if image.dtype == "float32":
            raise RegistryError(
                f"{inspected.graph.file} takes float32, which is not quantised: "
                f"choose --preprocessing out of {', '.join(KNOWN)}"
            )
        return {"preprocessing": "raw" if image.dtype == "uint8" else "quantised"} | _channels(answers)
    found = _said(answers) or _told(inspected)
    if found is None:
        raise MissingAnswers("preprocessing", _question(inspected), choices=tuple(KNOWN))
    if answers.channels and found != KNOWN["caffe"]:
        found = replace(found, bgr=answers.channels == "bgr")
    return normalisation.manifest_fields(found, image)


def _channels(answers: Answers) -> dict[str, str]:
    return {"channels": "bgr"} if answers.channels == "bgr" else {}


def _said(answers: Answers) -> Normalisation | None:
    if answers.mean and answers.std:
        return Normalisation(_three(answers.mean), _three(answers.std))
    named = answers.preprocessing or (PRESETS[answers.preset].preprocessing if answers.preset else None)
    return KNOWN[named] if named else None


def _told(inspected: Inspected) -> Normalisation | None:
    embedded = inspected.embedded
    implied = normalisation.implied_by(inspected.graph.inputs[0])
    if implied is None and len(embedded.mean) == len(embedded.std) == 3 and all(embedded.std):
        return _named(Normalisation(_three(embedded.mean), _three(embedded.std)))
    return implied or (KNOWN[inspected.graph.takes] if inspected.graph.takes else None)


def _named(found: Normalisation) -> Normalisation:
    return next((known for known in KNOWN.values() if known == found), found)


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = values if len(values) == 3 else tuple(values) * 3
    return first, second, third


def _question(inspected: Inspected) -> str:
    return (
        f"{inspected.graph.file} does not say how pixels become its {inspected.graph.inputs[0].dtype} input: "
        "say it with --preprocessing tf (-1..1), unit (0..1), raw (0..255), torch or caffe, with --mean and --std, "
        f"or name the family of the model with --preset ({', '.join(PRESETS)})"
    )
