"""What `add` and `pull` share: questions on a terminal, the report of the trial, and the last word."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli._refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from model.registry.description import Answers, Inspected
    from model.registry.errors import Undecided
    from model.registry.registration import Candidate

SAMPLES = Path(__file__).resolve().parent.parent.parent / "model" / "samples"
_FLAGS = {"labels": "--labels", "preprocessing": "--preprocessing"}


@dataclass(frozen=True, slots=True)
class Manner:
    """How a model is registered: tried on `images`, over an old one or not, asking or not, for people or programs.

    `origin` goes into the manifest's `source`.
    """

    images: tuple[Path, ...] = ()
    replace: bool = False
    yes: bool = False
    as_json: bool = False
    origin: tuple[tuple[str, str], ...] = ()

    @property
    def asks(self) -> bool:
        """Whether there is somebody to ask."""
        return sys.stdin.isatty() and not self.as_json


def register(file: Path, answers: Answers, manner: Manner) -> None:
    """Inspect, complete, try and register one file. Raises RegistryError, Refusal, Abort."""
    from model.registry import entry, shelf
    from model.registry.description import inspect

    entry.check_free(answers.name or shelf.name_for(file), replace=manner.replace)
    images = manner.images or tuple(sorted(SAMPLES.glob("*.jpg"))[:3])
    with entry.draft_folder() as folder, _as_tflite(file, answers, images) as tflite:
        candidate = _complete(inspect(tflite), answers, manner, folder=folder, images=images)
        document = dict(candidate.document)
        document["source"] = {**document["source"], "file": file.name, **dict(manner.origin)}
        entry.write(document, folder)
        if not manner.as_json:
            click.echo(report(candidate))
        if manner.asks and not manner.yes:
            click.confirm(f"Register it as {candidate.name}?", default=True, abort=True)
        final = entry.publish(folder, candidate.name, replace=manner.replace)
    if manner.as_json:
        click.echo(json.dumps({"name": candidate.name, "folder": str(final), "manifest": document}))
    else:
        click.echo(f"Registered in {final}. Try: tripoint compare --model {candidate.name}")


@contextmanager
def _as_tflite(file: Path, answers: Answers, images: Sequence[Path]) -> Iterator[Path]:
    from model.registry import entry, foreign

    if not foreign.is_foreign(file):
        yield file
        return
    click.echo(f"Converting {file} to TFLite (float32); tripoint model convert also makes smaller files", err=True)
    with entry.draft_folder() as folder:
        yield foreign.to_tflite(file, folder, input_size=answers.input_size, photos=images)


def _complete(
    inspected: Inspected, answers: Answers, manner: Manner, *, folder: Path, images: Sequence[Path]
) -> Candidate:
    """Ask what the file does not tell, until it can be tried; without a terminal, say which flag tells it."""
    from model.registry.errors import Undecided
    from model.registry.registration import prepare

    while True:
        try:
            return prepare(inspected, answers, folder=folder, images=images)
        except Undecided as question:
            shown = _ways(question, inspected, answers, manner, folder) if manner.images else ""
            if not manner.asks:
                raise Refusal(f"{question}{shown}") from None
            click.echo(f"{question}{shown}", err=True)
            kind = click.Choice(question.choices) if question.choices else None
            said = click.prompt(_FLAGS[question.answer], type=kind, err=True)
            answers = answers.with_answer(question, said)


def _ways(question: Undecided, inspected: Inspected, answers: Answers, manner: Manner, folder: Path) -> str:
    """What the model says of the user's photograph with each way of preprocessing."""
    from model.registry.registration import compare_ways

    if question.answer != "preprocessing":
        return ""
    image = manner.images[0]
    found = compare_ways(inspected, answers, folder=folder, image=image)
    said = [f"{way}: {label} {score:.3f}" for way, (label, score) in found.items()]
    return f". With each of them it says of {image.name}: " + "; ".join(said)


def report(candidate: Candidate) -> str:
    """What was found and tried, for people."""
    document = candidate.document
    size, variant = document["input"], document["variants"][0]
    lines = [
        f"{candidate.name}: {len(document['labels'])} labels, {size['height']} x {size['width']} px, "
        f"{variant['input_dtype']} input, preprocessing {_fed(variant)}, output {document['output']}"
    ]
    working = [each for each in candidate.trials if each.failure is None]
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


def _fed(variant: dict[str, Any]) -> str:
    more = [f"{key} {variant[key]}" for key in ("mean", "std", "channels", "layout") if key in variant]
    return " ".join([str(variant["preprocessing"]), *more])


def _labels(tried: Any) -> list[str]:
    return [answer.best[0][0] for answer in tried.answers]
