"""Render the sample photographs: `python -m model.samples.render [FOLDER]`. The same pixels on every run."""

from __future__ import annotations

import json
import math
import sys
import zlib
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from model.samples import cloth
from model.samples.outlines import Detail
from model.samples.scenes import SCENES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.samples.cloth import Plane
    from model.samples.outlines import Points
    from model.samples.scenes import Scene

QUALITY = 85
OVERSAMPLING = 2
ORIENTATION_TAG = 0x0112
# What each EXIF orientation does to the stored picture, undone before storing.
UNDO = {1: None, 3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}


def seed_of(name: str) -> int:
    """The seed of a scene: it depends on the file's name alone, so that scenes do not change each other."""
    return zlib.crc32(name.encode())


def render(scene: Scene) -> NDArray[np.uint8]:
    """Return the scene upright, uint8 RGB [height, width, 3]."""
    rng = np.random.default_rng(seed_of(scene.file))
    shape = (scene.size[1], scene.size[0])
    ground = getattr(cloth, scene.ground[0])(rng, shape, scene.ground[1])
    front, behind = mask(scene, scene.garment.half), mask(scene, scene.garment.behind)
    whole = np.maximum(front, behind)
    lit = ground * (1 - 0.55 * _shifted(cloth.blurred(whole, shape[1] / 60), shape[1] // 80))[..., None]
    inside = cloth.paint(scene.colour) * np.float32(0.45)
    lit += behind[..., None] * (inside - lit)
    lit += front[..., None] * (_dressed(scene, rng, front) - lit)
    return _exposed(lit, rng)


def _dressed(scene: Scene, rng: np.random.Generator, front: Plane) -> Plane:
    """The garment's cloth over the whole picture: print, creases, threads, details, round edges."""
    shape, width = (front.shape[0], front.shape[1]), front.shape[1]
    printed = cloth.pattern(scene.pattern, shape, width / 22)[..., None]
    colour = cloth.paint(scene.colour) * (1 - printed) + cloth.paint(scene.second) * printed
    light = cloth.folds(rng, shape, depth=0.16) * cloth.weave(rng, shape)
    light *= 0.62 + 0.38 * np.clip(cloth.blurred(front, width / 45) * 2 - 1, 0, 1)
    for detail in scene.garment.details:
        amount = cloth.blurred(mask(scene, detail.points, detail), width / 900)
        light *= 1 + detail.tone * amount if detail.tone < 0 else 1
        colour = colour + (max(detail.tone, 0) * amount)[..., None] * (1 - colour)
    for height in scene.garment.buttons:
        button = mask(scene, ((0.0, height), (0.0, height + 0.001)), Detail((), 0.022, mirrored=False))
        colour = colour + button[..., None] * (np.float32(0.85) - colour)
    return np.asarray(np.maximum(colour, 0.02) * light[..., None], np.float32)


def mask(scene: Scene, points: Points, detail: Detail | None = None) -> Plane:
    """Return where an outline, or a detail, lies in the picture: float32 0..1 [height, width]."""
    width, height = (side * OVERSAMPLING for side in scene.size)
    picture = Image.new("L", (width, height))
    draw = ImageDraw.Draw(picture)
    is_line = detail is not None and detail.width > 0
    for side in (1, -1) if detail is None or detail.mirrored else (1,):
        for centre in (-0.52, 0.52) if scene.garment.twin else (0.0,):
            placed = [_place(scene, (x * side, y), centre) for x, y in (points if is_line else rounded(points))]
            if detail is not None and is_line:
                thick = max(1, round(detail.width * scene.share * height))
                draw.line(placed, fill=255, width=thick, joint="curve")
            elif placed:
                draw.polygon(placed, fill=255)
    small = picture.resize(scene.size, Image.Resampling.BOX)
    return np.asarray(small, np.float32) / np.float32(255)


def _place(scene: Scene, point: tuple[float, float], centre: float) -> tuple[float, float]:
    """From the garment's unit square to pixels of the oversampled picture."""
    width, height = (side * OVERSAMPLING for side in scene.size)
    tall = scene.share * height
    x, y = (point[0] + centre * 0.68) * tall * scene.garment.ratio, (point[1] - 0.5) * tall
    angle = np.deg2rad(scene.turn_deg)
    return (
        float(width / 2 + x * np.cos(angle) - y * np.sin(angle)),
        float(height / 2 + x * np.sin(angle) + y * np.cos(angle)),
    )


def rounded(points: Points, *, reach: float = 0.025) -> list[tuple[float, float]]:
    """Return the path with its corners cut twice, each time by at most `reach`; the ends stay in place."""
    path = list(points)
    for limit in (reach, reach / 4):
        cut = path[:1]
        for (ax, ay), (bx, by) in pairwise(path):
            share = min(0.25, limit / max(math.hypot(bx - ax, by - ay), 1e-9))
            dx, dy = share * (bx - ax), share * (by - ay)
            cut += [(ax + dx, ay + dy), (bx - dx, by - dy)]
        path = cut + path[-1:]
    return path


def _shifted(plane: Plane, pixels: int) -> Plane:
    return np.roll(plane, (pixels, pixels), axis=(0, 1))


def _exposed(light: Plane, rng: np.random.Generator) -> NDArray[np.uint8]:
    """What a telephone's camera makes of it: one brighter corner, darker edges, a little blur and noise."""
    height, width = light.shape[:2]
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1.05 - 0.1 * (x * x + y * y) - 0.05 * x - 0.04 * y
    picture = np.clip(light * fall[..., None] * 255, 0, 255)
    soft = np.stack([cloth.blurred(np.asarray(picture[..., c] / 255, np.float32), 0.6) for c in range(3)], axis=2)
    grain = 2.0 * rng.standard_normal((height, width, 1)) + rng.standard_normal((height, width, 3))
    return np.clip(soft * 255 + grain, 0, 255).astype(np.uint8)


def write(scene: Scene, folder: Path) -> None:
    """Render one scene to a JPEG, turned as its EXIF orientation says."""
    picture = Image.fromarray(render(scene))
    turn = UNDO[scene.orientation]
    exif = Image.Exif()
    if turn is not None:
        picture = picture.transpose(turn)
        exif[ORIENTATION_TAG] = scene.orientation
    picture.save(folder / scene.file, quality=QUALITY, exif=exif)


def main(arguments: list[str]) -> int:
    """Render all scenes into a folder (default: beside this file), with `labels.json`."""
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    folder.mkdir(parents=True, exist_ok=True)
    for scene in SCENES:
        write(scene, folder)
        print(folder / scene.file)
    labels = {scene.file: scene.garment.label for scene in SCENES}
    (folder / "labels.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
