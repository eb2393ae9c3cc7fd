"""Take the cost of the work itself out of two series, so that a heavy image is no slow target. Pure.

Every target is sent the same images. What differs between images is no noise of the targets, but it is most of the
spread of their latencies: left in, it hides differences and widens intervals. Each class of work is moved to a
common centre, the mean of both sides' medians (aligned ranks: Hodges and Lehmann 1962).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Labels = NDArray[np.int64]

CLASS_SAMPLES = 20  # of each side; the centre of fewer would follow the noise


def classes(first: Labels, second: Labels, *, order: Labels) -> tuple[Labels, Labels]:
    """Classes of at least CLASS_SAMPLES requests of each side, made of neighbours in `order`, from labels of work.

    `order` lists every label, such as images by their size. Labels below 0 are unknown: all is one class then.
    """
    known = order.size and first.size and second.size and min(np.min(first), np.min(second)) >= 0
    if not known:
        return np.zeros_like(first), np.zeros_like(second)
    place = np.full(int(np.max(order)) + 1, -1, dtype=np.int64)
    place[order] = np.arange(order.size)
    sides = place[first], place[second]
    counts = np.stack([np.bincount(side, minlength=order.size) for side in sides])
    class_of = _cut(counts)
    return class_of[sides[0]], class_of[sides[1]]


def _cut(counts: NDArray[np.intp]) -> Labels:
    """The class of each place: a new one begins when the last has enough of both sides; a short rest joins it."""
    class_of = np.zeros(counts.shape[1], dtype=np.int64)
    gathered, current, begun = np.zeros(2), 0, 0
    for place in range(counts.shape[1]):
        class_of[place] = current
        gathered = gathered + counts[:, place]
        if np.min(gathered) >= CLASS_SAMPLES:
            gathered, current, begun = np.zeros(2), current + 1, place + 1
    class_of[begun:] = max(current - 1, 0)
    return class_of


def align(first: Floats, second: Floats, labels: tuple[Labels, Labels]) -> tuple[Floats, Floats]:
    """Both sides with the centre of each class taken out; classes as `classes` makes them."""
    moved = first.copy(), second.copy()
    every = np.unique(labels[0])
    if every.size < 2:
        return moved
    for each in every:
        masks = labels[0] == each, labels[1] == each
        centre = sum(float(np.median(side[mask])) for side, mask in zip((first, second), masks, strict=True)) / 2
        for side, mask in zip(moved, masks, strict=True):
            side[mask] -= centre
    return moved
