"""The images of a run, in memory, with a hash that says which set it was."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
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
COUNT_MAX = 500
BYTES_MAX = 200_000_000


class PicturesError(Exception):
    """No image was found; the message says where it was looked for."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One encoded image as it is sent."""

    name: str
    body: bytes
    content_type: str


def read_pictures(folder: Path) -> list[Picture]:
    """The images below `folder`, in name order: at most COUNT_MAX, evenly picked, of at most BYTES_MAX together."""
    files = sorted(file for file in folder.rglob("*") if file.suffix.lower() in CONTENT_TYPES and file.is_file())
    if not files:
        raise PicturesError(f"no images in {str(folder)!r}: expected a folder with files {', '.join(CONTENT_TYPES)}")
    step = -(-len(files) // COUNT_MAX)
    found: list[Picture] = []
    size_bytes = 0
    for file in files[::step]:
        body = file.read_bytes()
        size_bytes += len(body)
        if found and size_bytes > BYTES_MAX:
            break
        found.append(Picture(file.relative_to(folder).as_posix(), body, CONTENT_TYPES[file.suffix.lower()]))
    return found


def digest(pictures: Sequence[Picture]) -> str:
    """sha256 over the images' own sha256, in order; names do not count."""
    whole = hashlib.sha256()
    for picture in pictures:
        whole.update(hashlib.sha256(picture.body).digest())
    return whole.hexdigest()
