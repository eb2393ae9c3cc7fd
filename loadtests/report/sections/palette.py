"""The look of each target in every chart: a colour for its cloud, a line and a shape of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from adapters import contract

if TYPE_CHECKING:
    from loadtests.plan.targets import Target

# Okabe and Ito's colours, which people with colour-blindness can tell apart (Color Universal Design, 2008), those
# first that stand out from white and from black by 3:1 or more; the last three are darker than theirs for that.
COLOURS = ("#d55e00", "#0072b2", "#009e73", "#b0609a", "#9a7d0a", "#3f8fc0", "#6b6b6b")
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (7, 3), (2, 2), (9, 3, 2, 3), (4, 2, 1, 2, 1, 2), (12, 4))
LABEL_MAX = 24  # characters
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "triangle-right")


@dataclass(frozen=True, slots=True)
class TargetStyle:
    """One target's looks; `key` is its number in the run, `label` its name as a chart has room for."""

    key: int
    name: str
    label: str
    colour: str
    dash: tuple[int, ...]
    shape: str


def target_styles(targets: Sequence[Target]) -> tuple[TargetStyle, ...]:
    """The looks of a run's targets; a cloud has the same colour in every run."""
    clouds = cloud_order(targets)
    labels = short_names([target.name for target in targets])
    seen: defaultdict[str, int] = defaultdict(int)
    found = []
    for key, target in enumerate(targets):
        place = seen[target.cloud]
        seen[target.cloud] += 1
        colour = COLOURS[clouds.index(target.cloud) % len(COLOURS)]
        found.append(
            TargetStyle(
                key, target.name, labels[key], colour, DASHES[place % len(DASHES)], SHAPES[place % len(SHAPES)]
            )
        )
    return tuple(found)


def short_names(names: Sequence[str]) -> list[str]:
    """Names that fit beside a chart and still differ: long ones lose what all of them begin with, or their middle."""
    if max(map(len, names), default=0) <= LABEL_MAX:
        return list(names)
    alike = takewhile(lambda letters: len(set(letters)) == 1, zip(*names, strict=False))
    shared = len(list(alike)) if len(names) > 1 else 0
    cut = [name if shared < 4 else f"\N{HORIZONTAL ELLIPSIS}{name[shared:]}" for name in names]
    found = [each if len(each) <= LABEL_MAX else f"{each[:10]}\N{HORIZONTAL ELLIPSIS}{each[-10:]}" for each in cut]
    return found if len(set(found)) == len(names) else list(names)


def cloud_order(targets: Sequence[Target]) -> list[str]:
    """Every cloud that is known here, by name, then those that only the run knows."""
    known = list(contract.clouds())
    return known + sorted({target.cloud for target in targets} - set(known))
