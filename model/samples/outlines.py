"""Outlines of clothes laid flat, and their details, in a unit square: x right, y down.

An outline is one half of the garment, from the top of its middle line to the bottom; it is mirrored.
"""

from __future__ import annotations

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


def path(text: str) -> Points:
    """Read points written as in SVG: "x,y x,y"."""
    pairs = (point.split(",") for point in text.split())
    return tuple((float(x), float(y)) for x, y in pairs)


@dataclass(frozen=True, slots=True)
class Detail:
    """A line or an area on a garment, mirrored like it; `tone` is how much lighter (or darker) it is, -1..1.

    `width` is the line's width as a share of the garment; an area has width 0.
    """

    points: Points
    width: float = 0.006
    tone: float = -0.35
    mirrored: bool = True


@dataclass(frozen=True, slots=True)
class Garment:
    """One kind of clothes: what it covers, what hides behind it (a neck's back, a lining), what is on it.

    `ratio` is width over height of the drawing. `twin` draws it twice, mirrored, side by side: shoes.
    """

    label: str
    half: Points
    behind: Points = ()
    details: tuple[Detail, ...] = ()
    buttons: tuple[float, ...] = ()
    ratio: float = 1.0
    twin: bool = False


def _seam(*points: tuple[float, float], width: float = 0.006, tone: float = -0.35) -> Detail:
    return Detail(points, width, tone)


def _quilting() -> tuple[Detail, ...]:
    """The seams of a padded jacket: across the body, and across the sleeves."""
    body = (
        _seam((0.0, y), (0.12, y + 0.012), (0.295, y), width=0.012, tone=-0.55)
        for y in (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    )
    sleeves = (
        _seam((0.29 + x, 0.3 + 2.6 * x), (0.385 + x, 0.27 + 2.6 * x), width=0.011, tone=-0.5)
        for x in (0.0, 0.035, 0.07, 0.1)
    )
    return (*body, *sleeves)


def _ring(top: float, bottom: float, reach: float) -> Points:
    """The half of a flat band across the middle, such as a waistband."""
    return ((0.0, top), (reach, top), (reach, bottom), (0.0, bottom))


NECK = path("0.0,0.09 0.08,0.075 0.14,0.03 0.13,0.02 0.07,0.045 0.0,0.05")

T_SHIRT = Garment(
    "t-shirt",
    half=path(
        "0.0,0.1 0.07,0.09 0.12,0.05 0.14,0.02 0.25,0.05 0.33,0.1 0.5,0.27 0.4,0.37 0.3,0.3 0.29,0.45 "
        "0.29,0.7 0.3,0.97 0.15,0.985 0.0,0.985"
    ),
    behind=NECK,
    details=(
        _seam((0.0, 0.125), (0.08, 0.11), (0.135, 0.065), (0.155, 0.025), width=0.005),
        _seam((0.31, 0.09), (0.285, 0.2), (0.3, 0.3)),
        _seam((0.38, 0.35), (0.48, 0.25), width=0.004),
        _seam((0.0, 0.96), (0.3, 0.95), width=0.004),
    ),
)

LONGSLEEVE = Garment(
    "longsleeve",
    half=path(
        "0.0,0.1 0.07,0.09 0.12,0.05 0.14,0.02 0.23,0.05 0.31,0.11 0.38,0.3 0.45,0.55 0.5,0.83 0.42,0.86 "
        "0.36,0.64 0.28,0.36 0.27,0.5 0.27,0.75 0.275,0.97 0.15,0.985 0.0,0.985"
    ),
    behind=NECK,
    details=(
        _seam((0.0, 0.125), (0.08, 0.11), (0.135, 0.065), (0.155, 0.025), width=0.005),
        _seam((0.3, 0.09), (0.265, 0.2), (0.28, 0.34)),
        _seam((0.405, 0.8), (0.495, 0.775), width=0.005),
        _seam((0.0, 0.945), (0.275, 0.93), width=0.005),
    ),
)

SHIRT = Garment(
    "shirt",
    half=path(
        "0.0,0.08 0.05,0.02 0.12,0.01 0.16,0.05 0.25,0.07 0.32,0.12 0.38,0.32 0.44,0.55 0.48,0.8 "
        "0.4,0.83 0.35,0.63 0.28,0.38 0.275,0.55 0.28,0.75 0.29,0.88 0.2,0.95 0.0,0.985"
    ),
    behind=path("0.0,0.02 0.09,0.02 0.06,0.07 0.0,0.11"),
    details=(
        Detail(path("0.03,0.06 0.1,0.015 0.16,0.05 0.13,0.16 0.03,0.1"), 0.0, 0.12),
        _seam((0.02, 0.11), (0.13, 0.165), (0.165, 0.055), width=0.007, tone=-0.5),
        Detail(((0.025, 0.11), (0.025, 0.97)), 0.005, -0.4),
        _seam((0.31, 0.1), (0.27, 0.22), (0.285, 0.36)),
        _seam((0.39, 0.75), (0.475, 0.725), width=0.006),
        Detail(path("0.09,0.28 0.2,0.28 0.2,0.4 0.145,0.43 0.09,0.4 0.09,0.28"), 0.005, -0.4, False),
    ),
    buttons=(0.14, 0.26, 0.38, 0.5, 0.62, 0.74, 0.86),
)

OUTWEAR = Garment(
    "outwear",
    half=path(
        "0.0,0.01 0.09,0.015 0.15,0.06 0.17,0.12 0.27,0.15 0.35,0.22 0.41,0.42 0.46,0.62 0.49,0.82 "
        "0.4,0.85 0.35,0.66 0.3,0.46 0.3,0.6 0.3,0.8 0.29,0.97 0.15,0.985 0.0,0.985"
    ),
    details=(
        *_quilting(),
        Detail(path("0.0,0.045 0.07,0.05 0.1,0.1 0.07,0.17 0.0,0.23"), 0.0, -0.8),
        Detail(path("0.0,0.035 0.075,0.04 0.11,0.1 0.075,0.175 0.0,0.24"), 0.014, 0.75),
        Detail(((0.0, 0.24), (0.0, 0.98)), 0.024, -0.75, False),
        Detail(((0.0, 0.24), (0.0, 0.98)), 0.008, 0.8, False),
        _seam((0.1, 0.17), (0.17, 0.12), width=0.012, tone=-0.6),
        _seam((0.16, 0.66), (0.24, 0.8), width=0.014, tone=-0.7),
        _seam((0.0, 0.93), (0.295, 0.92), width=0.01, tone=-0.6),
        _seam((0.39, 0.79), (0.485, 0.765), width=0.01, tone=-0.6),
    ),
)

PANTS = Garment(
    "pants",
    half=path(
        "0.0,0.025 0.24,0.015 0.25,0.08 0.29,0.22 0.31,0.4 0.3,0.65 0.29,0.97 0.11,0.985 0.1,0.8 "
        "0.07,0.5 0.02,0.31 0.0,0.3"
    ),
    details=(
        Detail(_ring(0.02, 0.065, 0.25), 0.0, -0.15),
        _seam((0.0, 0.065), (0.25, 0.062)),
        Detail(((0.0, 0.065), (0.0, 0.3)), 0.007, -0.5, False),
        Detail(((0.05, 0.07), (0.045, 0.17), (0.0, 0.21)), 0.005, -0.4, False),
        _seam((0.15, 0.07), (0.19, 0.14), (0.275, 0.16), width=0.007, tone=-0.5),
        _seam((0.17, 0.25), (0.2, 0.96), width=0.005, tone=-0.2),
        _seam((0.115, 0.95), (0.29, 0.94), width=0.005),
    ),
    buttons=(0.043,),
    ratio=0.8,
)

SHORTS = Garment(
    "shorts",
    half=path("0.0,0.03 0.34,0.02 0.36,0.12 0.42,0.45 0.47,0.95 0.08,0.985 0.04,0.72 0.0,0.52"),
    details=(
        Detail(_ring(0.03, 0.11, 0.35), 0.0, -0.2),
        _seam((0.0, 0.11), (0.355, 0.105), width=0.008),
        Detail(((0.0, 0.11), (0.0, 0.52)), 0.007, -0.45, False),
        _seam((0.24, 0.12), (0.36, 0.33), width=0.009, tone=-0.55),
        _seam((0.085, 0.92), (0.465, 0.88), width=0.006),
        Detail(((0.02, 0.09), (0.05, 0.2), (0.04, 0.28)), 0.01, 0.8, False),
        Detail(((-0.02, 0.09), (-0.03, 0.18), (-0.05, 0.25)), 0.01, 0.8, False),
    ),
    ratio=1.05,
)

SKIRT = Garment(
    "skirt",
    half=path("0.0,0.03 0.24,0.02 0.27,0.1 0.36,0.5 0.45,0.92 0.25,0.975 0.0,0.985"),
    details=(
        Detail(_ring(0.025, 0.1, 0.26), 0.0, -0.25),
        _seam((0.0, 0.1), (0.26, 0.095), width=0.008),
        *(_seam((x, 0.11), (x * 1.7, 0.96), width=0.01, tone=-0.45) for x in (0.03, 0.09, 0.15, 0.21)),
        _seam((0.0, 0.95), (0.43, 0.9), width=0.005),
    ),
    ratio=1.1,
)

DRESS = Garment(
    "dress",
    half=path(
        "0.0,0.12 0.06,0.11 0.11,0.08 0.13,0.01 0.18,0.01 0.19,0.09 0.23,0.18 0.21,0.28 0.17,0.4 "
        "0.22,0.52 0.3,0.75 0.38,0.96 0.2,0.985 0.0,0.99"
    ),
    behind=path("0.0,0.06 0.08,0.06 0.13,0.05 0.1,0.11 0.0,0.14"),
    details=(
        _seam((0.0, 0.4), (0.17, 0.395), width=0.012, tone=-0.5),
        _seam((0.0, 0.14), (0.07, 0.13), (0.125, 0.095), (0.145, 0.02), width=0.004),
        _seam((0.1, 0.25), (0.09, 0.39), width=0.005),
        *(_seam((x, 0.41), (x * 2.1, 0.97), width=0.009, tone=-0.3) for x in (0.03, 0.08, 0.13)),
    ),
    ratio=0.7,
)

HAT = Garment(
    "hat",
    half=path("0.0,0.06 0.12,0.08 0.25,0.18 0.34,0.34 0.38,0.55 0.4,0.68 0.41,0.9 0.2,0.955 0.0,0.965"),
    details=(
        Detail(path("0.0,0.7 0.39,0.64 0.41,0.9 0.2,0.955 0.0,0.965"), 0.0, -0.12),
        _seam((0.0, 0.7), (0.2, 0.69), (0.39, 0.64), width=0.012, tone=-0.5),
        *(
            _seam((x, 0.71), (x * 1.02, 0.95), width=0.006, tone=-0.3)
            for x in (0.03, 0.08, 0.13, 0.18, 0.23, 0.28, 0.33, 0.37)
        ),
        *(
            _seam((x * 0.15, 0.1), (x * 0.8, 0.35), (x, 0.67), width=0.006, tone=-0.22)
            for x in (0.06, 0.14, 0.22, 0.3)
        ),
    ),
    ratio=1.15,
)

_SHOE_OPENING = path("0.0,0.44 0.12,0.46 0.17,0.55 0.185,0.75 0.155,0.9 0.0,0.945")
_BOW = path("-0.06,0.37 0.0,0.4 0.06,0.37 0.06,0.43 0.0,0.4 -0.06,0.43 -0.06,0.37")

SHOES = Garment(
    "shoes",
    half=path("0.0,0.02 0.14,0.04 0.26,0.13 0.31,0.28 0.28,0.45 0.23,0.6 0.25,0.78 0.24,0.92 0.14,0.98 0.0,0.985"),
    details=(
        Detail(path("0.0,0.44 0.12,0.46 0.17,0.55 0.18,0.75 0.15,0.9 0.0,0.94"), 0.0, -0.7),
        Detail(path("0.0,0.5 0.08,0.52 0.12,0.6 0.12,0.8 0.0,0.9"), 0.0, 0.35),
        _seam(*_SHOE_OPENING, width=0.018, tone=0.25),
        Detail(_BOW, 0.02, 0.3, False),
        _seam((0.0, 0.035), (0.14, 0.06), (0.25, 0.15), (0.29, 0.28), width=0.012, tone=0.3),
    ),
    ratio=0.62,
    twin=True,
)
