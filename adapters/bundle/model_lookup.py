"""Find models by name: one search order for every command.

1. a name with a slash in it is a folder;
2. the built-in models of Tripoint;
3. the user's own, in TRIPOINT_MODELS or `tripoint/models` among the user's data (XDG base directories);
4. a folder of that name here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUILT_IN = Path(__file__).resolve().parents[2] / "model"
MANIFEST = "manifest.json"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RegistryError(RuntimeError):
    """A model cannot be registered, found or fetched as asked."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One model that a name leads to."""

    name: str
    folder: Path
    built_in: bool

    def document(self) -> dict[str, Any]:
        """The manifest as it is written. Raises RegistryError naming the file when it cannot be read."""
        file = self.folder / MANIFEST
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RegistryError(f"{file} cannot be read ({error}): add the model again with --replace") from None
        if not isinstance(document, dict):
            raise RegistryError(f"{file} holds no object: add the model again with --replace")
        return document


def registered_folder() -> Path:
    """`$TRIPOINT_MODELS`, or the folder for models among the user's data (XDG base directories)."""
    data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("TRIPOINT_MODELS") or Path(data) / "tripoint" / "models").absolute()


def entries() -> tuple[Entry, ...]:
    """Every model that has a name: the built-in ones, then the user's, in name order."""
    built_in = _entries(BUILT_IN, built_in=True)
    taken = {entry.name for entry in built_in}
    return (*built_in, *(each for each in _entries(registered_folder(), built_in=False) if each.name not in taken))


def _entries(folder: Path, *, built_in: bool) -> tuple[Entry, ...]:
    found = sorted(file.parent for file in folder.glob(f"*/{MANIFEST}") if not file.parent.name.startswith("."))
    return tuple(Entry(each.name, each.resolve(), built_in) for each in found)


def find(model: str) -> Path:
    """The folder of a model, in the order above. Raises RegistryError naming the models that there are."""
    known = {entry.name: entry.folder for entry in entries()}
    if "/" not in model and "\\" not in model and model in known:
        return known[model]
    if model and (Path(model) / MANIFEST).is_file():
        return Path(model).resolve()
    raise RegistryError(
        f"unknown model {model!r}: expected a folder with a manifest.json, or one of {', '.join(known)}; "
        "register your own with: tripoint model add FILE"
    )


def entry_of(name: str) -> Entry:
    """A model by its name alone. Raises RegistryError naming those that there are."""
    for entry in entries():
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in entries())
    raise RegistryError(f"there is no model {name!r}: expected one of {known}; see tripoint model list")


def remove(entry: Entry) -> None:
    """Delete a model of the user's. Raises RegistryError for a built-in one."""
    if entry.built_in:
        raise RegistryError(f"{entry.name} is built in and stays: leave it, or register another name and use that")
    place = registered_folder() / entry.name
    if place.is_symlink():  # the folder behind it is not ours
        place.unlink()
    else:
        shutil.rmtree(place)


def check_name(name: str) -> str:
    """Return `name` when a model can be called so. Raises RegistryError."""
    if not _NAME.fullmatch(name):
        raise RegistryError(
            f"the name {name!r} cannot be used: expected up to 64 letters, digits, points, dashes and underscores, "
            "the first a letter or digit; choose one with --name"
        )
    if (BUILT_IN / name).exists() and not (registered_folder() / name).exists():
        raise RegistryError(f"the name {name!r} belongs to Tripoint itself: choose another one with --name")
    return name


def name_for(file: Path) -> str:
    """A name out of that of a file: `My model.tflite` -> `my-model`."""
    return re.sub(r"[^a-z0-9._-]+", "-", file.stem.lower()).strip("-._")[:64]
