"""Encoded bytes -> RGB: formats, modes, orientation, limits."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from core.errors import BrokenImage, ImageTooLarge, UnsupportedImage
from core.image import decode
from tests.kits.core import encoded, picture

LIMIT = 1_000_000


def rgb_of(data: bytes, *, orient: bool = True) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    image = decode(data, max_pixels=LIMIT, orient=orient)
    assert image.mode == "RGB"
    return np.asarray(image)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_every_format_on_the_list_is_read(kind: str) -> None:
    image = picture("P" if kind == "GIF" else "RGB")
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98} if kind == "JPEG" else {}
    found = rgb_of(encoded(image, kind, **options)).astype(int)
    tolerance = 12 if kind == "JPEG" else 0
    assert np.abs(found - np.asarray(image.convert("RGB")).astype(int)).max() <= tolerance


@pytest.mark.parametrize("kind", ["ICO", "PPM", "TGA", "PCX", "SGI", "JPEG2000", "DDS"])
def test_a_format_that_is_not_on_the_list_is_refused_with_the_list(kind: str) -> None:
    with pytest.raises(UnsupportedImage, match="send JPEG, PNG, WebP, GIF, BMP or TIFF"):
        rgb_of(encoded(picture(), kind))


@pytest.mark.parametrize("data", [b"", b"\x00", b"hello, world", b"%PDF-1.4", b"GIF88a", b"RIFF\0\0\0\0WAVE"])
def test_bytes_that_are_no_image_are_refused(data: bytes) -> None:
    with pytest.raises(UnsupportedImage):
        rgb_of(data)


@pytest.mark.parametrize(
    ("mode", "kind"), [("L", "PNG"), ("1", "PNG"), ("P", "PNG"), ("CMYK", "TIFF"), ("L", "JPEG")]
)
def test_every_colour_mode_becomes_rgb(mode: str, kind: str) -> None:
    image = picture(mode)
    found = rgb_of(encoded(image, kind)).astype(int)
    assert np.abs(found - np.asarray(image.convert("RGB")).astype(int)).max() <= (12 if kind == "JPEG" else 0)


def test_a_cmyk_jpeg_keeps_its_colours() -> None:
    data = encoded(Image.new("RGB", (16, 16), (200, 40, 40)).convert("CMYK"), "JPEG", quality=95)
    assert np.abs(rgb_of(data)[8, 8].astype(int) - [200, 40, 40]).max() < 12


def test_sixteen_bit_grey_is_scaled_where_pillow_alone_would_give_white() -> None:
    values = np.array([[0, 128, 129, 256, 32768, 65535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values))
    assert rgb_of(data)[0, :, 0].tolist() == [0, 0, 1, 1, 128, 255]
    assert np.asarray(Image.open(io.BytesIO(data)).convert("L"))[0].tolist() != [0, 0, 1, 1, 128, 255]


def test_big_endian_sixteen_bit_tiff_is_scaled_too() -> None:
    values = np.array([[0, 32768, 65535]], dtype=np.uint16)
    data = encoded(Image.fromarray(values.astype(">u2")), "TIFF")
    assert rgb_of(data)[0, :, 0].tolist() == [0, 128, 255]


def test_thirty_two_bits_per_sample_are_refused() -> None:
    with pytest.raises(UnsupportedImage, match="save it with 8 or 16"):
        rgb_of(encoded(picture("L").convert("F"), "TIFF"))


def test_transparency_is_laid_over_white() -> None:
    image = Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    assert rgb_of(encoded(image)).tolist() == [[[255, 255, 255], [127, 127, 127]]]


def test_a_transparent_palette_colour_is_white() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    assert rgb_of(encoded(image, transparency=0)).tolist() == [[[255, 255, 255], [40, 50, 60]]]


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert rgb_of(data)[0, 0].tolist() == [255, 0, 0], kind


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_exif_orientation_is_applied_or_ignored_as_asked(orientation: int, kind: str) -> None:
    image = picture(size=(32, 16))
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(image, kind, exif=exif)
    swapped = orientation >= 5
    assert decode(data, max_pixels=LIMIT, orient=True).size == ((16, 32) if swapped else (32, 16))
    if kind != "TIFF":  # which Pillow turns by itself, also in keras `load_img`
        assert decode(data, max_pixels=LIMIT, orient=False).size == (32, 16)


def test_orientation_six_turns_the_picture_clockwise() -> None:
    image = Image.new("RGB", (2, 1), "black")
    image.putpixel((0, 0), (255, 255, 255))
    exif = Image.Exif()
    exif[0x0112] = 6
    assert rgb_of(encoded(image, exif=exif))[:, 0, 0].tolist() == [255, 0]


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_ignored(value: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = value
    assert decode(encoded(picture(), exif=exif), max_pixels=LIMIT, orient=True).size == (64, 48)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_truncated_file_is_broken(kind: str) -> None:
    data = encoded(picture(size=(200, 200)), kind)
    with pytest.raises((BrokenImage, UnsupportedImage), match="send"):
        rgb_of(data[: len(data) // 2])


def test_pixels_are_limited_before_anything_is_decoded() -> None:
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    idat = b"\0\0\0\0IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    with pytest.raises(ImageTooLarge, match="60000 x 60000 pixels, the limit is 1000000"):
        rgb_of(b"\x89PNG\r\n\x1a\n" + chunk + idat)


def test_exactly_the_limit_is_allowed_and_one_pixel_more_is_not() -> None:
    data = encoded(Image.new("L", (10, 10)))
    assert decode(data, max_pixels=100, orient=True).size == (10, 10)
    with pytest.raises(ImageTooLarge):
        decode(data, max_pixels=99, orient=True)


def test_a_jpeg_of_very_many_scans_is_refused() -> None:
    data = encoded(picture(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(UnsupportedImage, match="scans"):
        rgb_of(data[:-2] + scan * 200 + data[-2:])


def test_of_a_baseline_jpeg_no_second_scan_is_decoded_however_many_there_are() -> None:
    data = encoded(picture(size=(400, 300)), "JPEG")
    start = data.index(b"\xff\xda")
    assert rgb_of(data).shape == (300, 400, 3)
    with pytest.raises(BrokenImage):
        rgb_of(data[:-2] + data[start:-2] * 500 + data[-2:])


def test_a_tiff_whose_decoder_sizes_its_own_memory_is_refused() -> None:
    assert rgb_of(encoded(picture(), "TIFF", compression="tiff_lzw")).shape == (48, 64, 3)
    with pytest.raises(UnsupportedImage, match="'lzma': save it with LZW or deflate"):
        rgb_of(encoded(picture(), "TIFF", compression="lzma"))


def test_a_draft_is_at_least_as_large_as_asked() -> None:
    data = encoded(picture(size=(640, 480)), "JPEG")
    assert decode(data, max_pixels=LIMIT, orient=True, draft=(100, 100)).size == (160, 120)
    assert decode(data, max_pixels=LIMIT, orient=True, draft=(600, 600)).size == (640, 480)


PEAK = """
import sys
from core.image import decode

def peak_bytes():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))

data = sys.stdin.buffer.read()
before = peak_bytes()
width, height = decode(data, max_pixels=25_000_000, orient=True).size
print((peak_bytes() - before) / (width * height))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGBA", "PNG", {}),
        ("P", "PNG", {"transparency": 0}),
        ("I;16", "PNG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"exif": b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"}),
    ],
)
def test_decoding_takes_nine_bytes_a_pixel_at_most(mode: str, kind: str, options: dict[str, Any]) -> None:
    data = encoded(Image.new(mode, (3000, 2000)), kind, **options)
    done = subprocess.run([sys.executable, "-c", PEAK], input=data, capture_output=True, check=True, timeout=60)
    assert 3 < float(done.stdout) < 9.5


@pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
def test_awkward_files_give_a_picture_or_a_clear_refusal(data_folder: Path) -> None:
    refused = set()
    for path in sorted((data_folder / "images" / "awkward").iterdir()):
        try:
            decode(path.read_bytes(), max_pixels=25_000_000, orient=True)
        except (BrokenImage, UnsupportedImage, ImageTooLarge):
            refused.add(path.name)
    assert {"broken.png", "decompression_bomb.gif", "png_decompression_dos.png", "truncated_jpeg.jpg"} <= refused
    assert not {"pil_sample_cmyk.jpg", "chi.gif", "tiff_16bit_RGB_target.png", "invalid-exif.jpg"} & refused
