"""The images or feature vectors of a run, in memory, with a hash that says which set it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".bmp": "image/bmp",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
FEATURES = {".json": "application/json"}
COUNT_MAX = 500
BYTES_MAX = 200_000_000
PIXELS_MAX = 10**12  # how many pixels a target takes is its own affair
DRAFT = (64, 64)  # reading a JPEG at a reduced size finds what is broken, in less time
NAMED_MAX = 5


class PayloadsError(Exception):
    """No image and no feature vector was found, or one that is none; the message says where."""


@dataclass(frozen=True, slots=True)
class Payload:
    """One encoded image, or one feature vector in JSON, as it is sent."""

    name: str
    body: bytes
    content_type: str


def read_payloads(folder: Path) -> list[Payload]:
    """The images below `folder`, in name order: at most COUNT_MAX, evenly picked, of at most BYTES_MAX together.

    Where there are none, the `.json` files, each a feature vector: an object with `features`.
    """
    kinds = CONTENT_TYPES if (files := _files(folder, CONTENT_TYPES)) else FEATURES
    files = files or _files(folder, FEATURES)
    if not files:
        raise PayloadsError(
            f"no images in {str(folder)!r}: expected a folder with files {', '.join(CONTENT_TYPES)}, "
            'or with .json files {"features": ...} for a model of feature vectors'
        )
    step = -(-len(files) // COUNT_MAX)
    found: list[Payload] = []
    size_bytes = 0
    for file in files[::step]:
        body = file.read_bytes()
        if kinds is FEATURES:
            _check_features(file, body)
        size_bytes += len(body)
        if found and size_bytes > BYTES_MAX:
            break
        found.append(Payload(file.relative_to(folder).as_posix(), body, kinds[file.suffix.lower()]))
    return found


def check_payloads(payloads: Sequence[Payload]) -> None:
    """Raise PayloadsError naming the images that no function of ours could read: they are no cloud's fault."""
    from core.errors import TripointError
    from core.image import decode  # Pillow: workers do without

    broken: list[str] = []
    for payload in payloads:
        if not payload.content_type.startswith("image/"):
            continue
        try:
            decode(payload.body, max_pixels=PIXELS_MAX, orient=False, draft=DRAFT)
        except TripointError as error:
            broken.append(f"{payload.name}: {error}")
    if broken:
        more = f"; and {len(broken) - NAMED_MAX} more" if len(broken) > NAMED_MAX else ""
        raise PayloadsError(
            f"{len(broken)} of {len(payloads)} images cannot be read: {'; '.join(broken[:NAMED_MAX])}{more}; take "
            "them out of the folder, or save them anew"
        )


def _files(folder: Path, kinds: Mapping[str, str]) -> list[Path]:
    return sorted(file for file in folder.rglob("*") if file.suffix.lower() in kinds and file.is_file())


def _check_features(file: Path, body: bytes) -> None:
    """Raise PicturesError unless a file is a request with `features`; whether they fit, the model tells."""
    try:
        document = json.loads(body)
    except ValueError as error:
        raise PayloadsError(f"{file} is not JSON ({error}): correct it, or take it out of the folder") from error
    if not isinstance(document, dict) or "features" not in document:
        raise PayloadsError(f'{file} is no feature vector: write {{"features": ...}}, or take it out of the folder')


def payloads_digest(payloads: Sequence[Payload]) -> str:
    """sha256 over the images' own sha256, in order; names do not count."""
    whole = hashlib.sha256()
    for payload in payloads:
        whole.update(hashlib.sha256(payload.body).digest())
    return whole.hexdigest()
