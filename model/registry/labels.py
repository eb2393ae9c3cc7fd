"""Read labels from where users keep them: one per line, numbered lines, JSON lists and mappings, or a,b,c."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from adapters.bundle.model_lookup import RegistryError

_NUMBERED = re.compile(r"(\d+)[\s:,;]+(\S.*)")
BACKGROUND = "background"
# Names of a first class that stands for nothing, in the label files of ImageNet models with 1,001 scores.
_NOTHING = {"background", "dummy", "unused background", "none", "???"}


def read(source: str) -> tuple[str, ...]:
    """Read the labels of a file, or of a list such as `cat,dog`. Raises RegistryError."""
    path = Path(source)
    if path.is_file():
        try:
            return parse(path.read_text(encoding="utf-8-sig"), source)
        except UnicodeDecodeError as error:
            raise RegistryError(f"{source} is no text in UTF-8 ({error}): save the labels as UTF-8") from None
    if "," in source and "/" not in source:
        return _checked([part.strip() for part in source.split(",")], source)
    raise RegistryError(f"there is no file {source!r}: name a text file with one label per line, or write a,b,c")


def parse(text: str, name: str) -> tuple[str, ...]:
    """Labels out of a file's text; `name` is for complaints. Raises RegistryError."""
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return _checked(_from_json(json.loads(text), name), name)
        except ValueError as error:
            raise RegistryError(f"{name} begins like JSON and is none ({error}): correct it") from None
    lines = [line.strip() for line in text.rstrip().splitlines()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(match[1]) for match in numbered if match]
    if lines and any(numbers == list(range(first, first + len(lines))) for first in (0, 1)):
        lines = [match[2] for match in numbered if match]
    return _checked(lines, name)


def _from_json(document: Any, name: str) -> list[str]:
    """A list, {"0": label}, {"0": ["n01440764", label]} as Keras has it, or {label: 0}."""
    if isinstance(document, list):
        return [str(each) for each in document]
    by_number = {}
    for key, value in document.items():
        number, label = (key, value) if str(key).isdigit() else (value, key)
        by_number[int(number)] = str(label[-1] if isinstance(label, list) and label else label)
    if sorted(by_number) != list(range(len(document))):
        raise RegistryError(f"{name} numbers its labels {sorted(by_number)[:5]}…: expected each of 0, 1, 2, … once")
    return [by_number[number] for number in range(len(by_number))]


def clean(text: str) -> str:
    """Without control characters: a label is printed, and must not steer a terminal."""
    return "".join(each for each in text if unicodedata.category(each) != "Cc").strip()


def _checked(labels: list[str], name: str) -> tuple[str, ...]:
    labels = [clean(label) for label in labels]
    empty = [number for number, label in enumerate(labels, start=1) if not label]
    if not labels or empty:
        raise RegistryError(f"{name} has no label in line {empty[0] if empty else 1}: write one label per line")
    return tuple(labels)


def fit(labels: tuple[str, ...], scores: int, *, background: bool | None) -> tuple[str, ...]:
    """Make the labels as many as the scores, by a background class only, and only when asked.

    `background` True: the model counts one first that the labels leave out; False: the labels name one that the
    model does not have. One score goes with two labels. Raises RegistryError naming both numbers.
    """
    if background is True and len(labels) == scores - 1:
        return (BACKGROUND, *labels)
    if background is False and len(labels) == scores + 1:
        return labels[1:]
    if len(labels) == scores or (scores == 1 and len(labels) == 2):
        return labels
    raise RegistryError(
        f"the model gives {scores} score{'s' * (scores != 1)} and there are {len(labels)} labels: "
        + _explain(labels, scores)
    )


def _explain(labels: tuple[str, ...], scores: int) -> str:
    if len(labels) == scores - 1:
        return (
            "it may count a background class first, as ImageNet models with 1,001 scores do; "
            "if so say --background, else correct the labels"
        )
    if len(labels) == scores + 1:
        first = f" ({labels[0]!r})" if labels[0].lower() in _NOTHING else f"; the first is {labels[0]!r}"
        return f"the labels may name a background class first that it does not have{first}; if so say --no-background"
    if scores == 1:
        return "a model with one score says how much an image is of the second of two labels; give two"
    return "give one label for each score, in the scores' order, with --labels FILE"
