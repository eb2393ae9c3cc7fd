"""The `features` of a request -> the bytes of a model's input tensor, float32; no numpy."""

from __future__ import annotations

import time
from array import array
from typing import TYPE_CHECKING

from core.errors import BadField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.classifier import Front
    from core.manifest import Features, Manifest, Variant
    from core.runtime import Tensor, TensorSpec

FLOAT32_MAX = 3.4028234663852886e38
_NAN = float("nan")

Given = list[object] | dict[str, object]


def read(
    given: Given, /, *, manifest: Manifest, variant: Variant, spec: TensorSpec, max_pixels: int
) -> tuple[Tensor, float]:
    """See `core.classifier.Front`. Raises BadField."""
    wanted = manifest.features
    assert wanted is not None
    values = vector(given, wanted)
    decoded_s = time.perf_counter()
    return array("f", values).tobytes(), decoded_s


def vector(given: Given, wanted: Features) -> list[float]:
    """The values in the model's order; NaN where null stands for a missing one. Raises BadField naming the place."""
    return [_number(place, value, missing=wanted.missing) for place, value in _in_order(given, wanted)]


def _in_order(given: Given, wanted: Features) -> Iterator[tuple[str, object]]:
    """Each value with the place where it stands."""
    names = wanted.names
    if isinstance(given, list):
        if len(given) != len(names):
            raise BadField(f"`features` has {len(given)} values: send {len(names)}, in the order that /model lists")
        return ((f"features[{index}]", value) for index, value in enumerate(given))
    known = frozenset(names)
    unknown = next((name for name in given if name not in known), None)
    if unknown is not None:
        raise BadField(f"`features` has the unknown name {unknown[:80]!r}: send those that /model lists")
    lacking = next((name for name in names if name not in given), None)
    if lacking is not None:
        missing = ", with null where it is not known" if wanted.missing else ""
        raise BadField(f"`features` lacks {lacking[:80]!r}: send every name that /model lists{missing}")
    return ((f"features.{name}", given[name]) for name in names)


def _number(place: str, value: object, *, missing: bool) -> float:
    if value is None and missing:
        return _NAN
    if isinstance(value, bool) or not isinstance(value, int | float):
        step = "send a number" if value is not None else "this model takes no missing values, send a number"
        raise BadField(f"`{place[:100]}` is {_shown(value)}: {step}")
    if not -FLOAT32_MAX <= value <= FLOAT32_MAX:  # NaN is not between them either
        raise BadField(f"`{place[:100]}` is {_shown(value)}: send a finite number, up to {FLOAT32_MAX:.2g}")
    return float(value)


def _shown(value: object) -> str:
    """As JSON writes it, cut short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | str | float):
        return repr(value)[:40] if not isinstance(value, int) or abs(value) < 10**40 else "a very large number"
    return "an array" if isinstance(value, list) else "an object"


_front: Front = read
