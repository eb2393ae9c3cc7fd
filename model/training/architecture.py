"""MobileNetV2 1.0 as data: one list of convolutions, read by the backbone, the network and the trainer.

Batch normalisation is folded into the convolutions, so a layer is a kernel and a bias.
Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", table 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = 1280
STEM_FILTERS = 32

# (expansion, output channels, repeats, stride of the first) of each stage.
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


@dataclass(frozen=True, slots=True)
class Weights:
    """One layer's parameters, float32.

    `kernel` is [height, width, in, out], for a depthwise layer [height, width, channels, 1]; `bias` is [out].
    """

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Convolution:
    """One layer: `relu6` tells whether it is clipped to 0..6, `adds` whether the block's input is added to it."""

    name: str
    kernel: tuple[int, int, int, int]
    stride: int
    depthwise: bool
    relu6: bool
    starts_block: bool = False
    adds: bool = False

    @property
    def channels(self) -> int:
        """How many channels it puts out."""
        return self.kernel[2] if self.depthwise else self.kernel[3]


def _point(
    name: str, channels: tuple[int, int], *, relu6: bool, starts: bool = False, adds: bool = False
) -> Convolution:
    return Convolution(name, (1, 1, *channels), 1, depthwise=False, relu6=relu6, starts_block=starts, adds=adds)


def _block(name: str, channels: tuple[int, int], *, expansion: int, stride: int) -> list[Convolution]:
    narrow, out = channels
    wide = narrow * expansion
    layers = []
    if expansion > 1:
        layers.append(_point(f"{name}_expand", (narrow, wide), relu6=True, starts=True))
    layers.append(
        Convolution(f"{name}_depthwise", (3, 3, wide, 1), stride, depthwise=True, relu6=True, starts_block=not layers)
    )
    layers.append(_point(f"{name}_project", (wide, out), relu6=False, adds=stride == 1 and narrow == out))
    return layers


def convolutions() -> tuple[Convolution, ...]:
    """All 52 convolutions from the image to the 1,280 features, in order."""
    steps = [
        (expansion, out, stride if repeat == 0 else 1)
        for expansion, out, repeats, stride in STAGES
        for repeat in range(repeats)
    ]
    widths = [STEM_FILTERS, *(out for _, out, _ in steps)]
    layers = [Convolution("stem", (3, 3, 3, STEM_FILTERS), 2, depthwise=False, relu6=True)]
    for number, (channels, (expansion, _, stride)) in enumerate(zip(pairwise(widths), steps, strict=True), start=1):
        layers += _block(f"block{number}", channels, expansion=expansion, stride=stride)
    layers.append(_point("features", (widths[-1], FEATURES), relu6=True))
    return tuple(layers)
