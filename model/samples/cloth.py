"""Cloth, floors and light as arrays: float32, RGB in 0..1, [height, width, 3]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Plane = NDArray[np.float32]
    Shape = tuple[int, int]
    Colour = tuple[int, int, int]


def noise(rng: np.random.Generator, shape: Shape, *, cells: tuple[int, int]) -> Plane:
    """Return smooth noise, mean 0, about -1..1, of `cells` (down, across) bumps over the whole plane."""
    coarse = Image.fromarray(rng.uniform(-1, 1, cells).astype(np.float32))
    return np.asarray(coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), np.float32)


def blurred(plane: Plane, radius: float) -> Plane:
    """Return `plane` (0..1) under a Gaussian blur of `radius` pixels."""
    picture = Image.fromarray(np.clip(plane * 255, 0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(radius)), np.float32) / np.float32(255)


def paint(colour: Colour) -> Plane:
    """Return a colour given as bytes as a float32 [3]."""
    return np.asarray(colour, np.float32) / np.float32(255)


def pattern(name: str, shape: Shape, pitch: float) -> Plane:
    """Return how much of the second colour a printed pattern shows, 0..1: plain, stripes, checks or dots."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / pitch
    if name == "stripes":
        return _soft(np.sin(y * 2 * np.pi) - 0.3)
    if name == "checks":
        return 0.5 * _soft(np.sin(y * 2 * np.pi) - 0.4) + 0.5 * _soft(np.sin(x * 2 * np.pi) - 0.4)
    if name == "dots":
        shifted = x + 0.5 * (np.floor(y) % 2)
        return _soft(0.22 - np.hypot(shifted % 1 - 0.5, y % 1 - 0.5), 0.03)
    return np.zeros(shape, np.float32)


def _soft(values: Plane, width: float = 0.2) -> Plane:
    return np.asarray(np.clip(values / width + 0.5, 0, 1), np.float32)


def folds(rng: np.random.Generator, shape: Shape, *, depth: float) -> Plane:
    """Return the light on creased cloth as a factor around 1: long creases down, and short ones anywhere."""
    height = noise(rng, shape, cells=(3, 9)) + 0.5 * noise(rng, shape, cells=(9, 14))
    height += 0.2 * noise(rng, shape, cells=(24, 24))
    slope = np.gradient(height, axis=1) * shape[1] / 14 + np.gradient(height, axis=0) * shape[0] / 28
    return np.asarray(1 + depth * np.tanh(slope), np.float32)


def weave(rng: np.random.Generator, shape: Shape) -> Plane:
    """Return the threads of cloth as a factor around 1."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    threads = 0.5 * np.sin(x * 2.1) + 0.5 * np.sin(y * 2.3)
    return np.asarray(1 + 0.02 * threads + 0.03 * rng.standard_normal(shape), np.float32)


def floor(rng: np.random.Generator, shape: Shape, colour: Colour) -> Plane:
    """Return a wooden floor: boards of slightly different tone, with grain along them."""
    boards = 5
    x = np.linspace(0, boards, shape[1], endpoint=False)
    tone = 1 + 0.12 * rng.uniform(-1, 1, boards)[x.astype(int)]
    joint = np.clip(np.abs(x % 1 - 0.5) * 2 - 0.975, 0, None) * 16
    grain = 0.07 * noise(rng, shape, cells=(5, 110)) + 0.06 * noise(rng, shape, cells=(9, 40))
    light = (tone - joint)[None, :] + grain
    return np.asarray(light[..., None] * paint(colour), np.float32)


def sheet(rng: np.random.Generator, shape: Shape, colour: Colour) -> Plane:
    """Return a bed sheet: plain cloth with soft folds."""
    light = folds(rng, shape, depth=0.05) * weave(rng, shape)
    return np.asarray(light[..., None] * paint(colour), np.float32)


def tiles(rng: np.random.Generator, shape: Shape, colour: Colour) -> Plane:
    """Return pale tiles with darker joints, seen at an angle."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) / shape[1]
    across, down = (x * 0.94 + y * 0.34) * 2.2, (y * 0.94 - x * 0.34) * 2.2
    edge = np.maximum(np.abs(across % 1 - 0.5), np.abs(down % 1 - 0.5)) * 2
    light = 1 - 0.3 * _soft(edge - 0.985, 0.01) + 0.03 * noise(rng, shape, cells=(12, 12))
    return np.asarray(light[..., None] * paint(colour), np.float32)
