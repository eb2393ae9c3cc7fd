"""The scenes of the sample photographs: a garment, its colours, the ground it lies on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.samples import outlines

if TYPE_CHECKING:
    from model.samples.cloth import Colour
    from model.samples.outlines import Garment


@dataclass(frozen=True, slots=True)
class Scene:
    """One photograph: a garment in its colours on a ground.

    `size` is width, height in pixels; `share` is the garment's height as a share of the photograph's.
    """

    file: str
    garment: Garment
    size: tuple[int, int]
    colour: Colour
    ground: tuple[str, Colour]
    second: Colour = (255, 255, 255)
    pattern: str = "plain"
    share: float = 0.8
    turn_deg: float = 0.0
    orientation: int = 1


SCENES = (
    Scene(
        "t-shirt-white.jpg",
        outlines.T_SHIRT,
        (400, 533),
        (232, 232, 228),
        ("floor", (150, 118, 84)),
        share=0.7,
        turn_deg=3,
    ),
    Scene(
        "t-shirt-red.jpg",
        outlines.T_SHIRT,
        (1200, 1600),
        (176, 34, 40),
        ("sheet", (214, 210, 204)),
        share=0.68,
        turn_deg=-4,
    ),
    Scene(
        "longsleeve-grey.jpg",
        outlines.LONGSLEEVE,
        (400, 533),
        (120, 124, 130),
        ("sheet", (222, 206, 188)),
        share=0.72,
    ),
    Scene(
        "shirt-checked.jpg",
        outlines.SHIRT,
        (600, 800),
        (196, 208, 224),
        ("sheet", (168, 44, 84)),
        (58, 84, 140),
        "checks",
        share=0.78,
    ),
    Scene("outwear-blue.jpg", outlines.OUTWEAR, (600, 800), (40, 52, 96), ("tiles", (214, 208, 196)), share=0.78),
    Scene("pants-navy.jpg", outlines.PANTS, (400, 533), (38, 46, 78), ("sheet", (150, 22, 42)), share=0.88),
    Scene(
        "pants-khaki.jpg",
        outlines.PANTS,
        (1200, 1600),
        (142, 126, 92),
        ("floor", (186, 160, 126)),
        share=0.88,
        orientation=6,
    ),
    Scene("shorts-green.jpg", outlines.SHORTS, (480, 640), (58, 104, 74), ("sheet", (222, 212, 190)), share=0.6),
    Scene(
        "skirt-dots.jpg",
        outlines.SKIRT,
        (480, 640),
        (28, 28, 34),
        ("sheet", (190, 40, 108)),
        pattern="dots",
        share=0.55,
    ),
    Scene("dress-red.jpg", outlines.DRESS, (400, 533), (158, 24, 62), ("floor", (176, 172, 168)), share=0.9),
    Scene(
        "hat-beige.jpg",
        outlines.HAT,
        (533, 400),
        (206, 192, 170),
        ("sheet", (196, 176, 156)),
        share=0.75,
        turn_deg=-6,
    ),
    Scene(
        "shoes-black.jpg", outlines.SHOES, (800, 600), (34, 32, 34), ("tiles", (208, 204, 198)), share=0.8, turn_deg=8
    ),
)
