"""Encoded bytes -> an RGB image: an allow-list of formats, limits checked before anything is decoded."""

from __future__ import annotations

import importlib
import io
import struct
import warnings
from typing import TYPE_CHECKING, cast

from PIL import Image

from core import jpeg
from core.errors import BrokenImage, ImageTooLarge, UnsupportedImage

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.ImageFile import ImageFile

# Pillow warns of odd metadata on standard error, file by file; the log is JSON lines and nothing else.
warnings.filterwarnings("ignore", module=r"PIL\.")

Size = tuple[int, int]
FORMATS = "JPEG, PNG, WebP, GIF, BMP or TIFF"

# First bytes -> Pillow's plugin and its class. Only the plugin of the format at hand is imported:
# `Image.open` would import five, and on a file it does not know all forty-odd. A multi-picture JPEG (MPO)
# begins like any JPEG, and its first picture is what the JPEG class reads.
_JPEG = b"\xff\xd8\xff"
_PLUGINS = (
    (_JPEG, "PIL.JpegImagePlugin", "JpegImageFile"),
    (b"\x89PNG\r\n\x1a\n", "PIL.PngImagePlugin", "PngImageFile"),
    (b"GIF87a", "PIL.GifImagePlugin", "GifImageFile"),
    (b"GIF89a", "PIL.GifImagePlugin", "GifImageFile"),
    (b"BM", "PIL.BmpImagePlugin", "BmpImageFile"),
    (b"II*\x00", "PIL.TiffImagePlugin", "TiffImageFile"),
    (b"MM\x00*", "PIL.TiffImagePlugin", "TiffImageFile"),
)

# What Pillow raises on hostile bytes, found by fuzzing; none of it is an error of ours.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    EOFError,
    MemoryError,
    RuntimeError,
    struct.error,
    Image.DecompressionBombError,
)
_ORIENTATION = 0x0112  # EXIF 2.32, tag Orientation
# Progressive scans each pass over the whole picture; encoders write about ten, an attack thousands.
_MAX_SCANS = 100
# Not LZMA, whose header asks for as much memory as it likes, nor the rare ones.
_TIFF_COMPRESSIONS = ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "jpeg", "group3", "group4")
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(data: bytes, *, max_pixels: int, orient: bool, draft: Size | None = None) -> Image.Image:
    """Return the first frame of `data` in mode RGB, upright when `orient`, transparency over white.

    `draft` (width, height) lets a JPEG be decoded at a reduced size of at least that.
    Raises UnsupportedImage, ImageTooLarge, BrokenImage.
    """
    header = jpeg.read_header(data) if data[:3] == _JPEG else None
    if header is not None:
        _check_size(header.size, max_pixels)
        if not header.one_scan:
            _check_scans(data)
        return _ordinary_jpeg(data, header, orient=orient, draft=draft)
    image = _open(data)
    _check_size(image.size, max_pixels)
    _check_cost(data, image)
    try:
        if draft:
            image.draft("RGB", draft)
        image.load()
        rgb = _to_rgb(image)
        return turned(rgb, _orientation(image)) if orient else rgb
    except _BROKEN as error:
        raise _broken(image.format, error) from error


def _check_size(size: Size, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageTooLarge(
            f"the image has {width} x {height} pixels, the limit is {max_pixels}: "
            "send a smaller image, or raise TRIPOINT_MAX_PIXELS"
        )
    if width * height == 0:
        raise BrokenImage(f"the image has {width} x {height} pixels: send an image with at least one")


def _ordinary_jpeg(data: bytes, header: jpeg.Header, *, orient: bool, draft: Size | None) -> Image.Image:
    try:
        decoded = jpeg.decode(data, header, draft=draft)
        rgb = decoded if decoded.mode == "RGB" else decoded.convert("RGB")
    except (ValueError, OSError, MemoryError) as error:
        raise _broken("JPEG", error) from error
    return turned(rgb, header.orientation) if orient else rgb


def _open(data: bytes) -> ImageFile:
    """Read the header only."""
    module, name = _plugin(data[:16])
    make = cast("Callable[[io.BytesIO], ImageFile]", getattr(importlib.import_module(module), name))
    try:
        return make(io.BytesIO(data))
    except _BROKEN as error:
        raise _broken(name.removesuffix("ImageFile").upper(), error) from error


def _plugin(head: bytes) -> tuple[str, str]:
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "PIL.WebPImagePlugin", "WebPImageFile"
    for magic, module, name in _PLUGINS:
        if head.startswith(magic):
            return module, name
    raise UnsupportedImage(
        f"the bytes are no image that is read here (they begin with {head[:8].hex(' ') or 'nothing'}): send {FORMATS}"
    )


def _broken(format_name: str | None, error: BaseException) -> BrokenImage:
    cause = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
    return BrokenImage(f"the {format_name or 'image'} file cannot be decoded ({cause}): send a whole, valid file")


def _check_scans(data: bytes) -> None:
    scans = data.count(b"\xff\xda")
    if scans > _MAX_SCANS:
        raise UnsupportedImage(f"the JPEG file has {scans} scans, the limit is {_MAX_SCANS}: save it as baseline")


def _check_cost(data: bytes, image: ImageFile) -> None:
    """Refuse what takes time or memory out of all proportion to its pixels."""
    if image.format == "JPEG":
        _check_scans(data)
    compression = image.info.get("compression", "raw") if image.format == "TIFF" else "raw"
    if compression not in _TIFF_COMPRESSIONS:
        raise UnsupportedImage(
            f"the TIFF file is compressed with {str(compression)[:40]!r}: save it with LZW or deflate"
        )


def _to_rgb(image: Image.Image) -> Image.Image:
    """Any mode to RGB; 16 bits are scaled to 8, where Pillow's own conversion would saturate to white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16"):
        return image.convert("I").point(_sixteen_to_eight(), "L").convert("RGB")
    if image.mode in ("I", "F"):
        raise UnsupportedImage("the image has 32 bits per sample: save it with 8 or 16")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(rgba, mask=rgba)
        return white
    return image.convert("RGB")


def _sixteen_to_eight() -> list[int]:
    """round(v * 255 / 65535) for every v."""
    return [(value + 128) // 257 for value in range(65536)]


def _orientation(image: ImageFile) -> int:
    """The EXIF orientation; metadata that cannot be read counts as none."""
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1
    return found if isinstance(found, int) else 1


def turned(rgb: Image.Image, orientation: int) -> Image.Image:
    """Turn and mirror as an EXIF orientation says; one that does not exist changes nothing."""
    method = _TRANSPOSE.get(orientation)
    return rgb if method is None else rgb.transpose(method)
