"""Random changes to a batch of training photographs, fixed by a seed: view, light, a hidden patch, mixing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each change may go; every photograph draws its own amount, uniformly.

    `zoom` is the side of the view as a share of the photograph's; `rotation_deg` and `shift` go both ways;
    `mix` is the largest share of another photograph that is blended in, label and all.
    """

    zoom: tuple[float, float] = (0.7, 1.05)
    aspect: float = 0.15
    rotation_deg: float = 12.0
    brightness: float = 0.25
    contrast: float = 0.3
    saturation: tuple[float, float] = (0.0, 1.6)
    tint: float = 0.12
    patch_probability: float = 0.3
    patch_side: tuple[float, float] = (0.15, 0.4)
    mix_probability: float = 0.5
    mix: float = 0.3


def augment(images: Any, targets: Any, seed: Any, *, size: int, how: Augmentation) -> tuple[Any, Any]:
    """Return changed images, float32 in -1..1 [N, size, size, 3], and their targets [N, classes].

    `images` are uint8 [N, side, side, 3]; `seed` is an int32 pair: the same seed gives the same change.
    """
    draw = _Draws(seed, tf.shape(images)[0])
    seen = _view(tf.cast(images, tf.float32), draw, size=size, how=how)
    lit = _light(seen / 127.5 - 1.0, draw, how)
    return _mix(_hide(lit, draw, how), targets, draw, how)


class _Draws:
    """Uniform random columns [N, 1, 1, 1], each call another one."""

    def __init__(self, seed: Any, count: Any) -> None:
        self._seed = seed
        self._count = count
        self._calls = 0

    def __call__(self, lo: float, hi: float) -> Any:
        self._calls += 1
        seed = self._seed + tf.constant([0, self._calls * 1_000_003], tf.int32)
        return tf.random.stateless_uniform([self._count, 1, 1, 1], seed, lo, hi)


def _view(images: Any, draw: _Draws, *, size: int, how: Augmentation) -> Any:
    """Zoom, turn, shift and mirror in one resampling."""
    side = tf.cast(tf.shape(images)[1], tf.float32)
    zoom = draw(*how.zoom)[:, 0, 0, 0]
    stretch = tf.exp(draw(-how.aspect, how.aspect)[:, 0, 0, 0])
    angle = draw(-how.rotation_deg, how.rotation_deg)[:, 0, 0, 0] * (math.pi / 180)
    mirror = tf.where(draw(0, 1)[:, 0, 0, 0] < 0.5, -1.0, 1.0)
    across, down = zoom * stretch * side / size, zoom / stretch * side / size
    slack = tf.maximum(1 - zoom, 0.05) * side / 2
    centre_x, centre_y = (side / 2 + slack * draw(-1, 1)[:, 0, 0, 0] for _ in range(2))
    a, b = mirror * across * tf.cos(angle), -down * tf.sin(angle)
    d, e = mirror * across * tf.sin(angle), down * tf.cos(angle)
    half, zero = size / 2, tf.zeros_like(a)
    rows = [a, b, centre_x - (a + b) * half, d, e, centre_y - (d + e) * half, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=[size, size],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


def _light(images: Any, draw: _Draws, how: Augmentation) -> Any:
    """Saturation, white balance, contrast and brightness, clipped to -1..1."""
    grey = tf.reduce_sum(images * tf.constant([0.299, 0.587, 0.114]), axis=3, keepdims=True)
    images = grey + (images - grey) * draw(*how.saturation)
    images += tf.concat([draw(-how.tint, how.tint) for _ in range(3)], axis=3)
    mean = tf.reduce_mean(images, axis=[1, 2, 3], keepdims=True)
    images = mean + (images - mean) * draw(1 - how.contrast, 1 + how.contrast)
    return tf.clip_by_value(images + draw(-how.brightness, how.brightness), -1.0, 1.0)


def _hide(images: Any, draw: _Draws, how: Augmentation) -> Any:
    """Cover a rectangle of some photographs with grey."""
    size = tf.shape(images)[1]
    place = tf.linspace(0.0, 1.0, size)
    beside = tf.abs(place[None, :, None, None] - draw(0, 1)) > draw(*how.patch_side) / 2
    above = tf.abs(place[None, None, :, None] - draw(0, 1)) > draw(*how.patch_side) / 2
    keep = beside | above | (draw(0, 1) > how.patch_probability)
    return tf.where(keep, images, tf.zeros_like(images))


def _mix(images: Any, targets: Any, draw: _Draws, how: Augmentation) -> tuple[Any, Any]:
    """Blend some photographs with their neighbour in the batch."""
    share = tf.where(draw(0, 1) < how.mix_probability, draw(0, how.mix), 0.0)
    mixed = images * (1 - share) + tf.roll(images, 1, axis=0) * share
    flat = share[:, :, 0, 0]
    return mixed, targets * (1 - flat) + tf.roll(targets, 1, axis=0) * flat
