"""Carry out one conversion: load, convert, compare, and only then write the model's folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.convert.agreement import ScoreAgreement, gives_probabilities, score_agreement
from model.convert.answers import file_scores
from model.convert.errors import ConvertError
from model.convert.kinds import KINDS, takes_bytes
from model.convert.preprocessing import Preprocessing, photographs, read_all, spread
from model.convert.source import open_source
from model.convert.source_model import SourceModel
from model.manifest_writer import SCHEMA

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from model.convert.preprocessing import OnProgress

PREPROCESSINGS = ("tf", "caffe", "torch", "raw")  # Keras' own three, and none
CALIBRATION_PHOTOS = 300
COMPARED_PHOTOS = 200


class ConversionRefused(ConvertError):
    """A converted file answers too differently from the original; nothing was written."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What to convert, into what, and how it is fed.

    `representative` is a folder of photographs such as the model is to classify: every other one calibrates int8,
    the others are compared. `input` is one of `kinds.INPUTS`; `output` "probabilities" or "logits", None: found out.
    """

    source: Path
    out: Path
    labels: tuple[str, ...]
    representative: Path
    preprocessing: str
    kinds: tuple[str, ...] = ("int8", "float16")
    input: str = "auto"
    resampling: str = "bilinear"
    orient: bool = True
    draft: float = 0.0
    input_size: tuple[int, int] | None = None
    output: str | None = None
    min_agreement: float = 0.9
    licence: str | None = None
    replace: bool = False

    def __post_init__(self) -> None:
        unknown = [kind for kind in self.kinds if kind not in KINDS]
        if unknown or not self.kinds:
            raise ConvertError(f"unknown kind {', '.join(unknown) or 'nothing'}: expected some of {', '.join(KINDS)}")
        if self.preprocessing not in PREPROCESSINGS:
            raise ConvertError(f"preprocessing {self.preprocessing!r}: expected one of {', '.join(PREPROCESSINGS)}")
        if not 0 <= self.min_agreement <= 1:
            raise ConvertError(f"the least agreement is {self.min_agreement}: expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Converted:
    """One kept file and how much its answers differ from the original's."""

    kind: str
    entry: Mapping[str, Any]
    likeness: ScoreAgreement


def convert(asked: Conversion, *, told: OnProgress = lambda phase, done, total: None) -> list[Converted]:
    """Convert, compare, and write `asked.out` with a manifest in one step: all of it, or nothing.

    Raises ConvertError, and ConversionRefused naming every file that agrees too little.
    """
    _refuse_existing(asked)
    told("load the original", 0, 1)
    original = open_source(asked.source, input_size=asked.input_size)
    feeding = Preprocessing(*original.side, asked.preprocessing, asked.resampling, asked.orient, asked.draft)
    told("load the original", 1, 1)
    shown, others = _read(asked, feeding, told)
    expected = original.scores(feeding.normalised(others))
    _check_labels(asked.labels, expected.shape[1])
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{asked.out.name}-", dir=asked.out.parent) as name:
        folder = Path(name)
        made = []
        for number, kind in enumerate(kind for kind in KINDS if kind in asked.kinds):
            told("convert and compare", number, len(asked.kinds))
            made.append(_one(kind, original, asked, folder=folder, feeding=feeding, photos=(shown, others, expected)))
        told("convert and compare", len(asked.kinds), len(asked.kinds))
        _refuse_unlike(made, asked)
        output = asked.output or ("probabilities" if gives_probabilities(expected) else "logits")
        _write_manifest(
            folder / "manifest.json", asked, _document(asked, original, made, feeding=feeding, output=output)
        )
        _put_in_place(folder, asked.out)
    return made


def _read(asked: Conversion, feeding: Preprocessing, told: OnProgress) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """What calibrates, and what is compared: others, where there are more than one."""
    files = photographs(asked.representative)
    calibrating, compared = spread(files, CALIBRATION_PHOTOS, step=2), spread(files, COMPARED_PHOTOS, start=1, step=2)
    shown = read_all(calibrating, feeding, phase="read what calibrates", told=told)
    return shown, read_all(compared, feeding, phase="read what is compared", told=told)


def _one(
    kind: str,
    original: SourceModel,
    asked: Conversion,
    *,
    folder: Path,
    feeding: Preprocessing,
    photos: tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32]],
) -> Converted:
    shown, others, expected = photos
    as_bytes = takes_bytes(kind, asked.input)
    file = folder / f"{asked.out.name}-{kind}.tflite"
    file.write_bytes(original.to_tflite(kind, feeding=feeding, photos=shown, takes_bytes=as_bytes))
    mode, dtype, found = file_scores(file, others, preprocessing=feeding.preprocessing)
    content = file.read_bytes()
    entry = {
        "name": kind,
        "file": file.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "input_dtype": dtype,
        "preprocessing": mode,
        "runtimes": list(KINDS[kind].runtimes),
    }
    return Converted(kind, entry, score_agreement(expected, found))


def _check_labels(labels: Sequence[str], scores: int) -> None:
    if len(labels) != scores:
        raise ConvertError(f"the model gives {scores} scores and there are {len(labels)} labels: name as many")


def _refuse_existing(asked: Conversion) -> None:
    if asked.out.exists() and not asked.replace:
        raise ConvertError(f"{asked.out} exists already: choose another --out, or allow it with --replace")
    if asked.out.exists() and not (asked.out / "manifest.json").is_file():
        raise ConvertError(f"{asked.out} has no manifest.json, so it is not replaced: choose another --out")


def _refuse_unlike(made: Sequence[Converted], asked: Conversion) -> None:
    unlike = [one for one in made if one.likeness.agreement.value < asked.min_agreement]
    if not unlike:
        return
    told = "; ".join(
        f"{one.kind} agrees with the original on {one.likeness.agreement.value:.1%} of {one.likeness.agreement.n}"
        f" photographs, largest difference of a score {one.likeness.largest_difference:.3g}"
        for one in unlike
    )
    good = ",".join(one.kind for one in made if one not in unlike)
    step = f"leave it out (--to {good})" if good else "check --preprocessing"
    raise ConversionRefused(
        f"{told}: at least {asked.min_agreement:.1%} was asked for, so nothing was written; {step}, "
        "give photographs that are more like those to come, or lower --min-agreement"
    )


def _document(
    asked: Conversion, original: SourceModel, made: Sequence[Converted], *, feeding: Preprocessing, output: str
) -> dict[str, object]:
    """The manifest; `conversion` says what it was made from, and how like it the files are."""
    source = asked.source if asked.source.is_file() else asked.source / "saved_model.pb"
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return {
        "schema": SCHEMA,
        "name": asked.out.name,
        "version": "1.0.0",
        "title": asked.out.name,
        "labels": list(asked.labels),
        "input": feeding.document(),
        "output": output,
        "variants": [dict(one.entry) for one in made],
        "conversion": {
            "source": source.name,
            "source_sha256": digest,
            "tool": original.tool,
            "input": asked.input,
            "least_agreement": asked.min_agreement,
            "likeness": {one.kind: one.likeness.document() for one in made},
        },
        **({"licence": asked.licence} if asked.licence else {}),
    }


def _write_manifest(file: Path, asked: Conversion, document: Mapping[str, object]) -> None:
    """Write it and read it as the core does: a folder that cannot be served is not left behind."""
    from core import manifest
    from core.errors import ModelError

    file.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        manifest.load(file.parent)
    except ModelError as error:
        raise ConvertError(str(error).replace(str(file.parent), str(asked.out))) from error


def _put_in_place(folder: Path, out: Path) -> None:
    """Rename the finished folder to its name; an older one is moved aside first and removed last."""
    folder.chmod(0o755)  # a temporary folder is for its owner alone
    if not out.exists():
        folder.rename(out)
        folder.mkdir()  # for the context that removes it
        return
    aside = out.with_name(f".{out.name}-replaced-{os.getpid()}")
    out.rename(aside)
    folder.rename(out)
    folder.mkdir()
    shutil.rmtree(aside)
