"""Write a model's folder whole beside the others, try it, then give it its name in one step."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from model.manifest_writer import write_manifest

_LEFT_BEHIND_S = 24 * 3600


@contextmanager
def draft_folder() -> Iterator[Path]:
    """A folder beside the registered models that nobody sees; gone afterwards unless it was published."""
    shelves = model_lookup.registered_folder()
    try:
        shelves.mkdir(parents=True, exist_ok=True)
        _sweep(shelves)
        folder = tempfile.mkdtemp(prefix=".adding-", dir=shelves)
    except OSError as error:
        raise RegistryError(
            f"{shelves} cannot be written ({error.strerror}): set TRIPOINT_MODELS to a folder of yours"
        ) from None
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep(shelves: Path) -> None:
    """Remove drafts of a day ago: their command was killed before it could."""
    for left in shelves.glob(".adding-*"):
        with suppress(OSError):  # another command removes it too
            if time.time() - left.stat().st_mtime > _LEFT_BEHIND_S:
                shutil.rmtree(left, ignore_errors=True)


def put_file(source: Path, folder: Path) -> str:
    """Copy the model's file into its folder under a name that a manifest can have; return its sha256."""
    target = folder / file_name(source)
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_name(source: Path) -> str:
    """`My model.tflite` -> `my-model.tflite`."""
    return f"{model_lookup.name_for(source) or 'model'}{source.suffix.lower() or '.tflite'}"


def write(document: Mapping[str, Any], folder: Path) -> None:
    """Write the manifest of a model into its folder."""
    write_manifest(document, folder / model_lookup.MANIFEST)


def publish(folder: Path, name: str, *, replace: bool) -> Path:
    """Give a whole folder its name. Raises RegistryError when the name is taken and `replace` is not asked."""
    final = model_lookup.registered_folder() / name
    check_free(name, replace=replace)
    folder.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix=".replaced-", dir=final.parent) as aside:
        if final.exists():
            final.rename(f"{aside}/{name}")
        try:
            folder.rename(final)
        except OSError as error:
            raise RegistryError(f"{final} cannot be written ({error.strerror}): run the command again") from None
    return final


def check_free(name: str, *, replace: bool) -> None:
    """Raise RegistryError when `name` cannot be given to a model."""
    model_lookup.check_name(name)
    final = model_lookup.registered_folder() / name
    if final.exists() and not replace:
        raise RegistryError(f"there is a model {name} already, in {final}: choose another --name, or say --replace")


def intact(entry: model_lookup.Entry) -> dict[str, bool]:
    """For every file of a model, whether it is there with the sha256 of its manifest."""
    found = {}
    for variant in entry.document().get("variants", ()):
        file = entry.folder / str(variant["file"])
        try:
            with file.open("rb") as opened:
                found[file.name] = hashlib.file_digest(opened, "sha256").hexdigest() == variant["sha256"]
        except OSError:
            found[file.name] = False
    return found


def summary(entry: model_lookup.Entry) -> dict[str, Any]:
    """A model in a few fields, for lists; `problem` where its manifest cannot be read."""
    base = {"name": entry.name, "built_in": entry.built_in, "folder": str(entry.folder)}
    try:
        document = entry.document()
        return base | {
            "title": str(document.get("title") or entry.name),
            "labels": len(document["labels"]),
            "input": _input(document["input"]),
            "variants": [str(variant["name"]) for variant in document["variants"]],
            "bytes": sum((entry.folder / str(each["file"])).stat().st_size for each in document["variants"]),
            "licence": document.get("licence"),
        }
    except (RegistryError, LookupError, TypeError, OSError, json.JSONDecodeError) as error:
        return base | {"problem": str(error) or type(error).__name__}


def _input(size: Mapping[str, Any]) -> str:
    return f"{size['height']} x {size['width']}" if "height" in size else f"{len(size['features'])} features"
