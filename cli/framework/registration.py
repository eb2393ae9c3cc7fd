"""Register a model for `add` and `pull`: ask questions, report the trial, and publish."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from model.registry.description import Answers, Inspected
    from model.registry.errors import MissingAnswers
    from model.registry.registration import ModelCandidate

SAMPLES = Path(__file__).resolve().parent.parent.parent / "model" / "samples"
_FLAGS = {"labels": "--labels", "preprocessing": "--preprocessing"}


@dataclass(frozen=True, slots=True)
class RegistrationOptions:
    """The options of a registration: images to try, whether to replace, to ask, and to print JSON.

    `origin` goes into the manifest's `source`.
    """

    images: tuple[Path, ...] = ()
    replace: bool = False
    yes: bool = False
    as_json: bool = False
    origin: tuple[tuple[str, str], ...] = ()

    @property
    def asks(self) -> bool:
        """Whether questions can be asked on a terminal."""
        return sys.stdin.isatty() and not self.as_json


def register(file: Path, answers: Answers, manner: RegistrationOptions) -> None:
    """Inspect, complete, try and register one file or folder. Raises RegistryError, CommandRefused, Abort."""
    from adapters.bundle import model_lookup
    from model.registry import import_folder, model_folder

    images = manner.images or tuple(sorted(SAMPLES.glob("*.jpg"))[:3])
    if answers.name or not import_folder.is_model(file):  # told before any work is done
        model_folder.check_free(answers.name or model_lookup.name_for(file), replace=manner.replace)
    with model_folder.draft_folder() as folder:
        candidate = _candidate(file, answers, manner, folder=folder, images=images)
        model_folder.check_free(candidate.name, replace=manner.replace)
        document = dict(candidate.document)
        known = document.get("source")
        document["source"] = {**(known if isinstance(known, dict) else {}), "file": file.name, **dict(manner.origin)}
        model_folder.write(document, folder)
        if not manner.as_json:
            click.echo(report(candidate))
        if manner.asks and not manner.yes:
            click.confirm(f"Register it as {candidate.name}?", default=True, abort=True)
        final = model_folder.publish(folder, candidate.name, replace=manner.replace)
    if manner.as_json:
        click.echo(json.dumps({"name": candidate.name, "folder": str(final), "manifest": document}))
    else:
        click.echo(f"Registered in {final}. Try: tripoint compare --model {candidate.name}")


def _candidate(
    file: Path, answers: Answers, manner: RegistrationOptions, *, folder: Path, images: Sequence[Path]
) -> ModelCandidate:
    from model.registry import import_folder
    from model.registry.description import Answers, inspect

    if not import_folder.is_model(file):
        with _as_tflite(file, answers, images) as tflite:
            return _complete(inspect(tflite), answers, manner, folder=folder, images=images)
    if answers != Answers(name=answers.name):
        raise CommandRefused(
            f"{file} has a manifest.json, which says all of it: correct it there, and give --name at most"
        )
    return import_folder.adopt(file, folder, name=answers.name, images=images)


@contextmanager
def _as_tflite(file: Path, answers: Answers, images: Sequence[Path]) -> Iterator[Path]:
    from model.registry import conversion, model_folder

    if not conversion.is_foreign(file):
        yield file
        return
    click.echo(f"Converting {file} to TFLite (float32); tripoint model convert also makes smaller files", err=True)
    with model_folder.draft_folder() as folder:
        yield conversion.to_tflite(file, folder, input_size=answers.input_size, photos=images)


def _complete(
    inspected: Inspected, answers: Answers, manner: RegistrationOptions, *, folder: Path, images: Sequence[Path]
) -> ModelCandidate:
    """Ask for what the file does not say, until it can be tried; without a terminal, name the flag."""
    from model.registry.errors import MissingAnswers
    from model.registry.registration import prepare

    while True:
        try:
            return prepare(inspected, answers, folder=folder, images=images)
        except MissingAnswers as question:
            shown = ""
            if manner.images:
                shown = _ways(question, inspected, answers, image=manner.images[0], folder=folder)
            if not manner.asks:
                raise CommandRefused(f"{question}{shown}") from None
            click.echo(f"{question}{shown}", err=True)
            kind = click.Choice(question.choices) if question.choices else None
            said = click.prompt(_FLAGS[question.answer], type=kind, err=True)
            answers = answers.with_answer(question, said)


def _ways(question: MissingAnswers, inspected: Inspected, answers: Answers, *, image: Path, folder: Path) -> str:
    """Return what the model predicts for the user's photograph with each preprocessing."""
    from model.registry.registration import compare_ways

    if question.answer != "preprocessing":
        return ""
    found = compare_ways(inspected, answers, folder=folder, image=image)
    said = [f"{way}: {label} {score:.3f}" for way, (label, score) in found.items()]
    return f". With each of them it says of {image.name}: " + "; ".join(said)


def report(candidate: ModelCandidate) -> str:
    """Return the report of the trial as text."""
    document = candidate.document
    working = [each for each in candidate.trials if each.failure is None]
    fed = [f"{each['input_dtype']} input, preprocessing {_fed(each)}" for each in document["variants"]]
    lines = [
        f"{candidate.name}: {len(document['labels'])} labels, {_size(document['input'])}, {' or '.join(fed)}, "
        f"output {document['output']}"
    ]
    for answer in working[0].answers:
        shown = [
            f"{label} {score:.3f}" for place, (label, score) in enumerate(answer.best) if score >= 0.001 or not place
        ]
        lines.append(f"  {Path(answer.image).name}: {'; '.join(shown)}")
    lines.append(f"  runs on {', '.join(each.runtime for each in working)}")
    lines += [f"  not on {each.runtime}: {each.failure}" for each in candidate.trials if each.failure is not None]
    differing = [each.runtime for each in working if _labels(each) != _labels(working[0])]
    if differing:
        lines.append(
            f"  {', '.join(differing)} calls some of them otherwise: small differences of quantised arithmetic"
        )
    return "\n".join(lines)


def _size(taken: dict[str, Any]) -> str:
    return f"{taken['height']} x {taken['width']} px" if "height" in taken else f"{len(taken['features'])} features"


def _fed(variant: dict[str, Any]) -> str:
    more = [f"{key} {variant[key]}" for key in ("mean", "std", "channels", "layout") if key in variant]
    return " ".join([str(variant["preprocessing"]), *more])


def _labels(tried: Any) -> list[str]:
    return [answer.best[0][0] for answer in tried.answers]
