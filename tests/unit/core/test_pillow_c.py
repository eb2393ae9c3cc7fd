"""Pillow's C part called directly gives the pixels of PIL.Image, or leaves the file to it."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, _imaging

from core import image as images
from core import jpeg, pillow_c, preprocess
from core.errors import TripointError
from core.manifest import RESAMPLINGS, Input
from tests.kits.core import encoded, new_service, picture, post
from tests.scripts import fuzz

LIMIT = 5_000_000


def by_image(data: bytes, size: Input) -> bytes:
    """The same through PIL.Image."""
    rgb = images.decode(data, max_pixels=LIMIT, orient=size.orient, draft=jpeg.draft_of(size))
    return preprocess.resize(rgb, size).tobytes()


def check(data: bytes, size: Input) -> bool:
    """Whether the file was read here; fails when the two ways differ."""
    found = pillow_c.read(data, size, max_pixels=LIMIT)
    if found is None:
        return False
    assert found[0] == by_image(data, size)
    return True


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture("RGB", (301, 203)), "JPEG", exif=exif)


@pytest.mark.parametrize("resampling", RESAMPLINGS)
@pytest.mark.parametrize("draft", [0.0, 0.85, 2.0])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_pixels_are_those_of_pillow(mode: str, draft: float, resampling: str) -> None:
    data = encoded(picture(mode, (501, 333)), "JPEG", quality=90)
    for height, width in ((96, 64), (224, 224), (333, 501), (700, 20)):
        assert check(data, Input(height, width, resampling, orient=True, draft=draft))


@pytest.mark.parametrize("orientation", range(10))
def test_an_orientation_is_applied_where_asked(orientation: int) -> None:
    for orient in (True, False):
        assert check(turned(orientation), Input(50, 40, "bilinear", orient=orient, draft=0.0))


def test_the_sample_photographs_are_read_here(sample_paths: list[Path]) -> None:
    for path in sample_paths:
        assert check(path.read_bytes(), Input(224, 224, "bilinear", orient=True, draft=0.85)), path.name


@pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
def test_damaged_files_give_the_same_pixels_or_are_left_to_pillow() -> None:
    dice, size = random.Random(11), Input(64, 64, "bilinear", orient=True, draft=1.0)
    whole = [data for data in fuzz.seeds() if data[:3] == b"\xff\xd8\xff"]
    assert sum(check(fuzz.damaged(dice.choice(whole), dice), size) for _ in range(300)) > 20


@pytest.mark.parametrize(
    "data",
    [
        encoded(picture(), "JPEG", progressive=True),
        encoded(picture("CMYK"), "JPEG"),
        encoded(picture(), "JPEG")[:-200],
        encoded(picture(size=(2501, 2000)), "JPEG"),
        encoded(picture(), "PNG"),
        b"\xff\xd8\xff",
        b"",
    ],
    ids=["several scans", "four colours", "cut short", "too many pixels", "no JPEG", "no header", "nothing"],
)
def test_what_needs_a_second_look_is_left_to_pillow(data: bytes) -> None:
    assert pillow_c.read(data, Input(64, 64, "bilinear", orient=True, draft=0.0), max_pixels=LIMIT) is None


@pytest.mark.parametrize("name", ["jpeg_decoder", "raw_encoder", "new"])
def test_where_pillow_has_changed_its_own_way_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data, size = encoded(picture(), "JPEG"), Input(64, 64, "bilinear", orient=True, draft=0.0)
    expected = by_image(data, size)

    def changed(*arguments: Any) -> None:
        raise TypeError("function takes other arguments now")

    with monkeypatch.context() as patched:
        patched.setattr(_imaging, name, changed)
        assert pillow_c.read(data, size, max_pixels=LIMIT) is None
        patched.delattr(_imaging, name)
        assert pillow_c.read(data, size, max_pixels=LIMIT) is None
    assert Image.open(io.BytesIO(data)).size == (64, 48)
    assert by_image(data, size) == expected


def test_both_ways_give_the_same_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    service, data = new_service(), turned(6)
    direct = post(service, data, "image/jpeg").document["predictions"]
    with monkeypatch.context() as patched:
        patched.setattr(pillow_c, "read", lambda *arguments, **options: None)
        assert post(service, data, "image/jpeg").document["predictions"] == direct
    broken = data[: len(data) // 2]
    assert post(service, broken, "image/jpeg").status == 400
    with pytest.raises(TripointError):
        by_image(broken, Input(64, 64, "bilinear", orient=True, draft=0.0))
