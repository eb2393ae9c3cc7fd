"""Ordinary JPEG files get the same pixels and orientation as from Pillow's plugin; others are left to it."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core import jpeg
from tests.kits.core import encoded, picture
from tests.scripts import fuzz

DRAFTS = [None, (448, 448), (100, 100), (33, 20)]


def from_plugin(data: bytes, draft: tuple[int, int] | None) -> Image.Image | None:
    try:
        image = Image.open(io.BytesIO(data))
        if draft:
            image.draft("RGB", draft)
        image.load()
    except (OSError, SyntaxError, ValueError):
        return None
    return image


def check(data: bytes, draft: tuple[int, int] | None) -> bool:
    """Whether the file was ordinary; fails when the two ways differ."""
    header = jpeg.read_header(data)
    if header is None:
        return False
    expected = from_plugin(data, draft)
    try:
        found = jpeg.decode(data, header, draft=draft)
    except ValueError:
        assert expected is None
        return True
    assert expected is not None
    assert (found.mode, found.size) == (expected.mode, expected.size)
    assert found.tobytes() == expected.tobytes()
    assert header.orientation == expected.getexif().get(0x0112, 1)
    return True


@pytest.mark.parametrize("draft", DRAFTS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 30, "subsampling": 2}, {"restart_marker_rows": 1}]
)
def test_the_pixels_are_those_of_the_plugin(
    mode: str, options: dict[str, Any], draft: tuple[int, int] | None
) -> None:
    assert check(encoded(picture(mode, (501, 333)), "JPEG", **options), draft)


def test_the_sample_photographs_are_ordinary(sample_paths: list[Path]) -> None:
    for path in sample_paths:
        for draft in DRAFTS:
            assert check(path.read_bytes(), draft), path.name


def test_real_photographs_are_ordinary(data_folder: Path) -> None:
    paths = sorted((data_folder / "clothes" / "validation").rglob("*.jpg"))[::10]
    ordinary = [check(path.read_bytes(), (448, 448)) for path in paths]
    assert ordinary.count(True) == len(paths)


@pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
def test_damaged_files_are_judged_alike_both_ways() -> None:
    dice = random.Random(3)
    whole = [data for data in fuzz.seeds() if data[:3] == b"\xff\xd8\xff"]
    ordinary = [check(fuzz.damaged(dice.choice(whole), dice), None) for _ in range(300)]
    assert 50 < ordinary.count(True) < 290


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_read_in_either_byte_order(order: str, orientation: int) -> None:
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    data = encoded(picture(), "JPEG", exif=exif)
    header = jpeg.read_header(data)
    assert header is not None
    assert header.orientation == orientation == Image.open(io.BytesIO(data)).getexif()[0x0112]


@pytest.mark.parametrize(
    "data",
    [
        encoded(picture("CMYK"), "JPEG"),
        encoded(picture(), "JPEG", exif=b"Exif\0\0garbage"),
        encoded(picture(), "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff"),
        encoded(picture(), "JPEG", xmp=b"<x tiff:Orientation='6'/>"),
        encoded(picture(), "JPEG")[:200],
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xe0\0\0",
        b"\xff\xd8\xff\xda\0\x02",
    ],
)
def test_what_is_not_ordinary_is_left_to_the_plugin(data: bytes) -> None:
    assert jpeg.read_header(data) is None


@pytest.mark.parametrize(
    ("size", "draft", "scale"),
    [((640, 480), None, 1), ((640, 480), (640, 480), 1), ((640, 480), (320, 240), 2), ((640, 480), (100, 100), 4),
     ((4000, 3000), (448, 448), 4), ((4000, 3000), (100, 100), 8), ((100, 100), (448, 448), 1)],
)  # fmt: skip
def test_an_image_is_reduced_only_as_far_as_the_draft_allows(
    size: tuple[int, int], draft: tuple[int, int] | None, scale: int
) -> None:
    assert jpeg.scale_for(size, draft) == scale
