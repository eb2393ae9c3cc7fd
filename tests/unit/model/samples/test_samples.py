"""The sample photographs: ours, the same on every run, and clear enough for the built-in model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from model.samples import render as rendering
from model.samples.outlines import path
from model.samples.render import render, rounded, write
from model.samples.scenes import SCENES, Scene
from model.training.accuracy import scores
from model.training.dataset import read_photo
from tests.paths import ROOT

MODEL = ROOT / "model"
FOLDER = MODEL / "samples"
MANIFEST = json.loads((MODEL / "clothes" / "manifest.json").read_text(encoding="utf-8"))
SMALL = [scene for scene in SCENES if scene.size[1] <= 640]


def _labels() -> dict[str, str]:
    found = json.loads((FOLDER / "labels.json").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_every_photograph_has_its_label_and_the_other_way_round() -> None:
    assert {scene.file: scene.garment.label for scene in SCENES} == _labels()
    assert {file.name for file in FOLDER.glob("*.jpg")} == set(_labels())


def test_all_ten_classes_are_shown() -> None:
    assert set(_labels().values()) == set(MANIFEST["labels"])


def test_they_are_small_together() -> None:
    assert sum(file.stat().st_size for file in FOLDER.glob("*.jpg")) < 1_500_000


@pytest.mark.parametrize("scene", SMALL[:2], ids=lambda scene: scene.file)
def test_a_scene_has_the_same_pixels_on_every_run(scene: Scene) -> None:
    first = render(scene)
    assert first.shape == (scene.size[1], scene.size[0], 3)
    assert np.array_equal(first, render(scene))


@pytest.mark.parametrize("scene", SMALL, ids=lambda scene: scene.file)
def test_the_committed_file_is_what_the_script_renders(scene: Scene) -> None:
    with Image.open(FOLDER / scene.file) as opened:
        committed = np.asarray(ImageOps.exif_transpose(opened), int)
    assert np.abs(committed - render(scene)).mean() < 4  # what JPEG takes away


def test_one_is_stored_turned_and_shows_upright(tmp_path: Path) -> None:
    scene = Scene(
        "turned.jpg", SCENES[0].garment, (90, 120), (200, 30, 30), ("sheet", (220, 220, 220)), orientation=6
    )
    write(scene, tmp_path)
    with Image.open(tmp_path / scene.file) as opened:
        assert opened.size == (120, 90)
        upright = np.asarray(ImageOps.exif_transpose(opened), int)
    assert np.abs(upright - render(scene)).mean() < 6


def test_only_the_khaki_pants_are_committed_turned() -> None:
    turned = []
    for file in FOLDER.glob("*.jpg"):
        with Image.open(file) as opened:
            if opened.getexif().get(0x0112, 1) != 1:
                turned.append(file.name)
    assert turned == ["pants-khaki.jpg"]


def test_the_script_writes_photographs_and_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "SCENES", SMALL[:1])
    assert rendering.main([str(tmp_path / "new")]) == 0
    assert json.loads((tmp_path / "new" / "labels.json").read_text()) == {SMALL[0].file: SMALL[0].garment.label}
    assert (tmp_path / "new" / SMALL[0].file).is_file()


def test_corners_are_cut_and_ends_stay() -> None:
    corner = rounded(path("0,0 1,0 1,1"), reach=0.1)
    assert (corner[0], corner[-1]) == ((0.0, 0.0), (1.0, 1.0))
    assert (1.0, 0.0) not in corner
    assert min(np.hypot(x - 1, y) for x, y in corner) < 0.1


def test_the_built_in_model_knows_nearly_all_of_them() -> None:
    labels = _labels()
    tensors = np.stack([read_photo(FOLDER / name, MANIFEST["input"]["height"]) for name in labels])
    file = MODEL / "clothes" / MANIFEST["variants"][0]["file"]
    found = [MANIFEST["labels"][index] for index in scores(file, tensors).argmax(axis=1)]
    right = [label == shown for label, shown in zip(found, labels.values(), strict=True)]
    assert sum(right) >= len(labels) - 2, dict(zip(labels, found, strict=True))
