"""Read what is known of a source: from the manifest beside it, or from the folders of photographs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core import manifest
from core.errors import ModelError
from model.convert.errors import ConvertError

if TYPE_CHECKING:
    from core.manifest import Manifest, Variant


@dataclass(frozen=True, slots=True)
class Known:
    """The file to convert; the rest is empty or None where nothing is known."""

    file: Path
    name: str
    labels: tuple[str, ...] = ()
    preprocessing: str | None = None
    resampling: str | None = None
    orient: bool = True
    draft: float = 0.0
    output: str | None = None
    licence: str | None = None


def look_up(source: Path) -> Known:
    """`source` is a model's file, a SavedModel, or a model folder, of which the float file is taken.

    Raises ConvertError for a model folder without a float variant.
    """
    folder = source if source.is_dir() else source.parent
    if not (folder / "manifest.json").is_file():
        return Known(source, source.stem)
    try:
        loaded = manifest.load(folder)
    except ModelError as error:
        raise ConvertError(str(error)) from error
    if not source.is_dir():
        found = next((each for each in loaded.variants if each.file.name == source.name), None)
        return _known(loaded, found) if found else Known(source, source.stem)
    floats = [each for each in loaded.variants if each.input_dtype == "float32" and each.file.suffix == ".tflite"]
    if not floats:
        names = ", ".join(each.name for each in loaded.variants)
        raise ConvertError(f"{source} has the variants {names}, none of them float: give the file it was made from")
    exact = sorted(floats, key=lambda each: each.name != "float32")
    return _known(loaded, exact[0])


def _known(loaded: Manifest, variant: Variant) -> Known:
    size = loaded.input
    return Known(
        variant.file,
        loaded.name,
        loaded.labels,
        variant.preprocessing,
        size.resampling,
        size.orient,
        size.draft,
        loaded.output,
        loaded.licence,
    )


def labels_in(file: Path) -> tuple[str, ...]:
    """One label to a line. Raises ConvertError for an empty file."""
    labels = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    if not labels:
        raise ConvertError(f"{file} has no labels: write one to a line, in the order of the model's scores")
    return labels


def class_folders(representative: Path) -> tuple[str, ...]:
    """The folders of photographs, in name order, as Keras' `flow_from_directory` numbers its classes."""
    return (
        tuple(sorted(each.name for each in representative.iterdir() if each.is_dir()))
        if representative.is_dir()
        else ()
    )
