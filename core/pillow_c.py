"""Pillow's C part called directly: an ordinary JPEG file to the model's square, without the module PIL.Image.

Importing PIL.Image takes a third of a direct cold start (docs/performance.md). The codec, the resampling and their
arguments are those of PIL.Image, so the pixels are the same. None means: ask PIL.Image, which also says what is wrong
with a file; so does any call that a release of Pillow has changed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core import jpeg

if TYPE_CHECKING:
    from core.manifest import Input

_RESAMPLING = {
    "nearest": 0,
    "lanczos": 1,
    "bilinear": 2,
    "bicubic": 3,
    "box": 4,
    "hamming": 5,
}  # PIL.Image.Resampling
_TRANSPOSE = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}  # EXIF orientation -> PIL.Image.Transpose
_WHOLE = 1  # Pillow's encoders: nothing is left
_DITHER = 3  # PIL.Image.Dither.FLOYDSTEINBERG, which `convert` passes by default


def read(data: bytes, size: Input, *, max_pixels: int) -> tuple[bytes, float] | None:
    """RGB of `size`, row by row, and the `perf_counter` second at which all had been decoded; or None."""
    header = jpeg.read_header(data)
    if header is None or not header.one_scan or header.size[0] * header.size[1] > max_pixels:
        return None
    draft = jpeg.draft_of(size)
    try:
        image = _decoded(data, header, draft)
        if image is None:
            return None
        if size.orient and header.orientation in _TRANSPOSE:
            image = image.transpose(_TRANSPOSE[header.orientation])
        decoded_s = time.perf_counter()
        if image.size != (size.width, size.height):
            image = image.resize((size.width, size.height), _RESAMPLING[size.resampling], (0, 0, *image.size))
        pixels = _bytes(image)
    except (ImportError, AttributeError, TypeError, ValueError, OSError, MemoryError):
        return None
    return None if pixels is None else (pixels, decoded_s)


def _decoded(data: bytes, header: jpeg.Header, draft: jpeg.Size | None) -> Any:
    """An image of Pillow's C part in mode RGB; None for a file that is cut short or broken."""
    from PIL import _imaging

    core: Any = _imaging
    scale, size = jpeg.reduced(header.size, draft)
    image = core.new(header.mode, size)
    decoder = core.jpeg_decoder(header.mode, header.mode, "", scale, 0)
    decoder.setimage(image, (0, 0, *size))
    left, status = decoder.decode(data)
    if left >= 0 or status != 0:
        return None
    return image if header.mode == "RGB" else image.convert("RGB", _DITHER)


def _bytes(image: Any) -> bytes | None:
    from PIL import _imaging

    core: Any = _imaging
    width, height = image.size
    encoder = core.raw_encoder("RGB", "RGB")
    encoder.setimage(image, (0, 0, width, height))
    _, status, data = encoder.encode(width * height * 3)
    found: bytes = data
    return found if status == _WHOLE else None
