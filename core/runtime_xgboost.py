"""XGBoost's library called directly: classifiers on feature vectors, without numpy, scipy or its Python package."""

from __future__ import annotations

import ctypes
import json
import sys
from functools import lru_cache
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import ModelError
from core.runtime import TensorSpec, check_kind
from core.xgboost_c import Library, XgboostError

if TYPE_CHECKING:
    from core.runtime import OpenInterpreter, Tensor

# One stump: below 0.5, or where the value is missing, 0.2, else 0.75 (made by tests/scripts/known_answer_xgboost.py).
_KNOWN_MODEL = Path(__file__).with_name("known_answer_xgboost.json")
_KNOWN_INPUTS, _KNOWN_OUTPUT = (0.0, 1.0), [0.2, 0.75]
_TOLERANCE = 1e-6
_LIBRARIES = {"linux": "lib/libxgboost.so", "darwin": "lib/libxgboost.dylib", "win32": "lib/xgboost.dll"}
_OBJECTIVES = ("multi:softprob", "binary:logistic")


def unfit() -> str | None:
    """Why this runtime cannot be used here; None when it can."""
    try:
        known = XgboostInterpreter(_library(), _KNOWN_MODEL)
        answer = [score for value in _KNOWN_INPUTS for score in known.run(bytes(ctypes.c_float(value)))]
    except (OSError, AttributeError, XgboostError, ModelError) as error:
        return f"XGBoost's library does not work as declared ({error})"
    near = all(abs(found - wanted) < _TOLERANCE for found, wanted in zip(answer, _KNOWN_OUTPUT, strict=True))
    return None if near else f"the known answer {_KNOWN_OUTPUT} came out as {answer}"


@lru_cache(maxsize=1)
def _library() -> Library:
    """Raises OSError where the package has no library for this system."""
    spec = PathFinder.find_spec("xgboost")
    places = [*(spec.submodule_search_locations or ())] if spec else []
    name = _LIBRARIES.get(sys.platform, _LIBRARIES["linux"])
    return Library(Path(places[0] if places else "", name))


class XgboostInterpreter:
    """One copy of a model; its scores are probabilities, for two classes that of the second."""

    def __init__(self, library: Library, file: Path) -> None:
        """Raises XgboostError, and ModelError for a model that is not one feature vector in and probabilities out."""
        self._library, self._booster = library, library.booster(file)
        objective = _objective(library.configuration(self._booster))
        if objective not in _OBJECTIVES:
            raise ModelError(
                f"{file} was trained for {objective}, expected {' or '.join(_OBJECTIVES)}: "
                "train a classifier that gives probabilities (xgboost.XGBClassifier does)"
            )
        if "c" in library.feature_texts(self._booster, b"feature_type"):
            raise ModelError(f"{file} takes categories as they are: train it on numbers (one-hot or ordinal codes)")
        self._options = _options(library.attribute(self._booster, b"best_iteration"))
        shape = (1, library.features(self._booster))
        names = library.feature_texts(self._booster, b"feature_name")
        self.input = TensorSpec(shape, "float32", names=names)
        check_kind(file, 1, self.input, self.input)
        self.output = TensorSpec((1, len(self.run(bytes(4 * shape[1])))), "float32")

    def run(self, tensor: Tensor, /) -> list[float]:
        """See `core.runtime.Interpreter`; NaN is a missing value. Raises XgboostError."""
        values = (ctypes.c_float * self.input.shape[1]).from_buffer_copy(tensor)
        return self._library.predict(self._booster, _interface(values), self._options)


def _objective(configuration: str) -> str:
    return str(json.loads(configuration)["learner"]["objective"]["name"])


def _interface(values: ctypes.Array[ctypes.c_float]) -> bytes:
    """One row, as numpy's `__array_interface__` describes it."""
    data = f"[{ctypes.addressof(values)}, false]"
    return f'{{"data": {data}, "shape": [1, {len(values)}], "typestr": "<f4", "version": 3}}'.encode()


def _options(best_iteration: str | None) -> bytes:
    """Probabilities by all trees, or by those up to the best iteration of early stopping, as XGBClassifier does."""
    end = int(best_iteration) + 1 if best_iteration and best_iteration.isdigit() else 0
    wanted = {"type": 0, "training": False, "iteration_begin": 0, "iteration_end": end, "strict_shape": True}
    return json.dumps(wanted | {"missing": float("nan"), "cache_id": 0}).encode()


def open_interpreter(file: Path, /) -> XgboostInterpreter:
    """See `core.runtime.OpenInterpreter`."""
    try:
        return XgboostInterpreter(_library(), file)
    except (XgboostError, KeyError, ValueError) as error:
        raise ModelError(
            f"{file} cannot be opened by XGBoost ({error}): it must be a whole .json or .ubj file of "
            "`save_model`, made by this release of XGBoost or an earlier one; save or fetch it again"
        ) from error


_open: OpenInterpreter = open_interpreter
