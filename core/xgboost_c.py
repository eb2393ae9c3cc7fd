"""XGBoost's C interface by ctypes, as far as prediction needs it: its Python package would import numpy and scipy.

Declared after xgboost.readthedocs.io, "XGBoost C API Documentation", and include/xgboost/c_api.h of release 3.2
(as of 2026-11-21). These functions are there since release 2; `runtime_xgboost` holds them to a known answer.
"""

from __future__ import annotations

import ctypes
import re
from ctypes import POINTER, byref, c_char_p, c_float, c_int, c_uint64, c_void_p
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TEXTS, _NUMBERS = POINTER(c_char_p), POINTER(c_uint64)
_SIGNATURES: dict[str, tuple[type, ...]] = {
    "XGBoosterCreate": (c_void_p, c_uint64, POINTER(c_void_p)),
    "XGBoosterLoadModel": (c_void_p, c_char_p),
    "XGBoosterSetParam": (c_void_p, c_char_p, c_char_p),
    "XGBoosterSaveJsonConfig": (c_void_p, _NUMBERS, _TEXTS),
    "XGBoosterGetNumFeature": (c_void_p, _NUMBERS),
    "XGBoosterGetStrFeatureInfo": (c_void_p, c_char_p, _NUMBERS, POINTER(_TEXTS)),
    "XGBoosterGetAttr": (c_void_p, c_char_p, _TEXTS, POINTER(c_int)),
    "XGBoosterPredictFromDense": (
        c_void_p, c_char_p, c_char_p, c_void_p, POINTER(_NUMBERS), _NUMBERS, POINTER(POINTER(c_float)),
    ),
}  # fmt: skip


class XgboostError(Exception):
    """A call that did not return 0: what the library says of it, in one line."""


class Library:
    """The loaded library. A call lets other threads run meanwhile."""

    def __init__(self, file: Path) -> None:
        """Raises OSError, AttributeError (a function is missing)."""
        self._library = ctypes.CDLL(str(file))
        for name, types in _SIGNATURES.items():
            function = getattr(self._library, name)
            function.argtypes, function.restype = types, c_int
        self._library.XGBGetLastError.restype = c_char_p

    def call(self, name: str, *arguments: object) -> None:
        """Raises XgboostError."""
        if getattr(self._library, name)(*arguments):
            said: bytes = self._library.XGBGetLastError()
            raise XgboostError(_first_line(said.decode(errors="replace")))

    def booster(self, file: Path) -> c_void_p:
        """A model on one thread; kept until the process ends. Raises XgboostError."""
        found = c_void_p()
        self.call("XGBoosterCreate", None, 0, byref(found))
        self.call("XGBoosterLoadModel", found, str(file).encode())
        self.call("XGBoosterSetParam", found, b"nthread", b"1")
        return found

    def configuration(self, booster: c_void_p) -> str:
        """How the model was trained, as a JSON document."""
        length, text = c_uint64(), c_char_p()
        self.call("XGBoosterSaveJsonConfig", booster, byref(length), byref(text))
        return (text.value or b"{}").decode()

    def features(self, booster: c_void_p) -> int:
        """How many features the model takes."""
        found = c_uint64()
        self.call("XGBoosterGetNumFeature", booster, byref(found))
        return found.value

    def feature_texts(self, booster: c_void_p, field: bytes) -> tuple[str, ...]:
        """The names ("feature_name") or types ("feature_type") of the features; none where the file has none."""
        length, texts = c_uint64(), _TEXTS()
        self.call("XGBoosterGetStrFeatureInfo", booster, field, byref(length), byref(texts))
        return tuple((texts[number] or b"").decode(errors="replace") for number in range(length.value))

    def attribute(self, booster: c_void_p, name: bytes) -> str | None:
        """A text that training left in the model, such as the best iteration of early stopping."""
        text, there = c_char_p(), c_int()
        self.call("XGBoosterGetAttr", booster, name, byref(text), byref(there))
        return text.value.decode(errors="replace") if there.value and text.value is not None else None

    def predict(self, booster: c_void_p, rows: bytes, options: bytes) -> list[float]:
        """All scores of one array, described by its `__array_interface__`. The library keeps no pointer to it."""
        shape, axes, found = _NUMBERS(), c_uint64(), POINTER(c_float)()
        self.call("XGBoosterPredictFromDense", booster, rows, options, None, byref(shape), byref(axes), byref(found))
        count = 1
        for axis in range(axes.value):
            count *= shape[axis]
        return found[:count]


def _first_line(text: str) -> str:
    """`[12:00:00] /source/file.cc:7: what happened`, without the time and the place in the library's source."""
    line = (text.strip().splitlines() or ["no message"])[0]
    return re.sub(r"^\[[^\]]*\] \S+:\d+: ", "", line)[:200]
