"""Read ordinary JPEG files without Pillow's JPEG plugin, whose import takes as long as three classifications.

The decoder is Pillow's own, called through `frombytes` with the arguments that the plugin gives it, so the
pixels are the same. Whatever is not ordinary (CMYK, twelve bits, odd metadata) is left to the plugin.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL import Image

    from core.manifest import Input

Size = tuple[int, int]

# Markers: ITU-T T.81, table B.1.
_BASELINE_EXTENDED_PROGRESSIVE = (0xC0, 0xC1, _PROGRESSIVE := 0xC2)
_OTHER_FRAMES = (0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF)
_START_OF_SCAN, _APP1 = 0xDA, 0xE1
_ORIENTATION, _SHORT = 0x0112, 3  # EXIF 2.32


class Header(NamedTuple):
    """What is known before decoding. `mode` is L or RGB, `orientation` as in EXIF, 1 when there is none.

    `one_scan` when the first scan has all there is: libjpeg then decodes no other, whatever follows.
    """

    size: Size
    mode: str
    orientation: int
    one_scan: bool


def read_header(data: bytes) -> Header | None:
    """The header of an ordinary JPEG file; None when the plugin had better look at it."""
    frame: tuple[Size, str] | None = None
    orientation, at, whole, kind = 0, 2, len(data), 0
    while at + 4 <= whole and data[at] == 0xFF:
        marker, body = data[at + 1], at + 4
        at += 2 + (data[at + 2] << 8 | data[at + 3])
        if not 0xC0 <= marker <= 0xFE or at < body or at > whole:
            return None
        if marker == _START_OF_SCAN:
            if frame is None:
                return None
            components = 1 if frame[1] == "L" else 3
            one_scan = kind != _PROGRESSIVE and at > body and data[body] == components
            return Header(*frame, orientation or 1, one_scan)
        if marker in _OTHER_FRAMES or (marker in _BASELINE_EXTENDED_PROGRESSIVE and frame):
            return None
        if marker in _BASELINE_EXTENDED_PROGRESSIVE:
            frame, kind = _frame(data[body:at]), marker
            if frame is None:
                return None
        elif marker == _APP1:
            segment = data[body:at]
            if segment[:6] == b"Exif\0\0":
                if orientation or not (orientation := exif_orientation(segment[6:])):
                    return None
            elif b"Orientation" in segment and not orientation:
                return None  # in XMP, which Pillow reads as well
    return None


def _frame(body: bytes) -> tuple[Size, str] | None:
    """Size and mode from a frame header of eight bits per sample and one or three components."""
    if len(body) < 6 or body[0] != 8 or body[5] not in (1, 3):
        return None
    height, width = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
    return ((width, height), "L" if body[5] == 1 else "RGB") if width and height else None


def exif_orientation(exif: bytes) -> int:
    """The orientation in a TIFF block: 1 when it has none, 0 when the block is not as it should be."""
    order: str | None = {b"II*\0": "little", b"MM\0*": "big"}.get(exif[:4])
    if order is None:
        return 0

    def number(at: int, size: int) -> int:
        return int.from_bytes(exif[at : at + size], "little" if order == "little" else "big")

    first = number(4, 4)
    entries = number(first, 2)
    if first + 2 + 12 * entries > len(exif):
        return 0
    for entry in range(first + 2, first + 2 + 12 * entries, 12):
        if number(entry, 2) == _ORIENTATION:
            whole = number(entry + 2, 2) == _SHORT and number(entry + 4, 4) == 1
            return (number(entry + 8, 2) or 1) if whole else 0
    return 1


def draft_of(size: Input) -> Size | None:
    """The least size that a picture may be decoded at for an input; None where it is to be decoded whole."""
    return (math.ceil(size.draft * size.width), math.ceil(size.draft * size.height)) if size.draft else None


def scale_for(size: Size, draft: Size | None) -> int:
    """By how much libjpeg may reduce the image and still leave at least `draft`: 1, 2, 4 or 8."""
    if draft is None:
        return 1
    room = min(size[0] // draft[0], size[1] // draft[1])
    return next((scale for scale in (8, 4, 2) if room >= scale), 1)


def reduced(size: Size, draft: Size | None) -> tuple[int, Size]:
    """libjpeg's scale, and the size that it leaves."""
    scale = scale_for(size, draft)
    return scale, (-(-size[0] // scale), -(-size[1] // scale))


def decode(data: bytes, header: Header, *, draft: Size | None) -> Image.Image:
    """Decode to L or RGB, reduced as `draft` allows. Raises ValueError when the data is cut short or broken."""
    from PIL import Image

    scale, size = reduced(header.size, draft)
    image = Image.new(header.mode, size, None)  # not painted black first
    image.frombytes(data, "jpeg", header.mode, "", scale, 0)
    return image
