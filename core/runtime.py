"""Runtimes behind one small seam; each lies in a module of its own that is imported only when chosen."""

from __future__ import annotations

import importlib
import importlib.machinery
import math
from typing import TYPE_CHECKING, NamedTuple, cast

from core import log
from core.errors import ModelError
from core.manifest import DTYPES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path
    from typing import Protocol

    from core.manifest import Manifest, Variant

    # Only for the type checker: making a Protocol takes time that a cold start has not.
    class Interpreter(Protocol):
        """One copy of a model with its working memory. Not for two threads at once."""

        @property
        def input(self) -> TensorSpec: ...
        @property
        def output(self) -> TensorSpec: ...
        def run(self, tensor: Tensor, /) -> list[float]:
            """Return the first output, flat, as real values. `tensor` has the bytes of the input, row by row."""

    class OpenInterpreter(Protocol):
        """Opens a model file with one thread. Raises ModelError naming the file, the cause and the next step."""

        def __call__(self, file: Path, /) -> Interpreter: ...

    class RuntimeModule(Protocol):
        """What the module of a runtime offers."""

        @property
        def open_interpreter(self) -> OpenInterpreter: ...
        def unfit(self) -> str | None:
            """Why the runtime cannot be used here although it is installed; None when it can."""


Tensor = bytes | memoryview

# In order of preference where a variant names several: the module of ours, and the package that it needs.
MODULES = {
    "litert-direct": ("core.runtime_direct", "ai_edge_litert"),
    "litert": ("core.runtime_litert", "ai_edge_litert"),
    "tflite-runtime": ("core.runtime_tflite", "tflite_runtime"),
    "onnxruntime": ("core.runtime_onnx", "onnxruntime"),
    "xgboost": ("core.runtime_xgboost", "xgboost"),
}
REMEDIES = {
    "litert": "pip install ai-edge-litert",
    "litert-direct": "pip install ai-edge-litert==2.3.0",
    "tflite-runtime": "pip install tflite-runtime 'numpy<2' (Linux, Python up to 3.11)",
    "onnxruntime": "pip install onnxruntime",
    "xgboost": "pip install xgboost-cpu",
}


class TensorSpec(NamedTuple):
    """A tensor's shape and type; real value = (stored - zero_point) * scale where scale is not 0.

    `names` are those of the values of a feature vector, where the model's file has them.
    """

    shape: tuple[int, ...]
    dtype: str
    scale: float = 0.0
    zero_point: int = 0
    names: tuple[str, ...] = ()


def installed(package: str) -> bool:
    """Whether a top-level package can be found; nothing is imported."""
    return importlib.machinery.PathFinder.find_spec(package) is not None


def usable(named: Collection[str] = tuple(MODULES)) -> tuple[str, ...]:
    """Those of the runtimes `named` that are installed, in order of preference."""
    return tuple(name for name, (_, package) in MODULES.items() if name in named and installed(package))


def named_by(manifest: Manifest) -> set[str]:
    """The runtimes that any variant of a model is for."""
    return {runtime for variant in manifest.variants for runtime in variant.runtimes}


def choose(manifest: Manifest, *, wanted: str | None, available: Sequence[str]) -> tuple[Variant, str]:
    """The first variant that has an available runtime, and the best such runtime.

    Raises ModelError when no variant goes with `wanted`, or with any available runtime.
    """
    for variant in manifest.variants:
        for runtime in available:
            if runtime in variant.runtimes and wanted in (None, runtime):
                return variant, runtime
    named = sorted(named_by(manifest))
    missing = [runtime for runtime in named if runtime not in available and wanted in (None, runtime)]
    step = REMEDIES[missing[0]] if missing else f"set TRIPOINT_RUNTIME to one of {', '.join(named)}"
    raise ModelError(
        f"model {manifest.name} has no variant for {wanted or 'the runtimes installed here'}"
        f" (its variants are for {', '.join(named)}; installed: {', '.join(available) or 'none'}): {step}"
    )


def pick(manifest: Manifest, *, wanted: str | None) -> tuple[Variant, str]:
    """`choose` among the runtimes that are installed and fit; an unfit one is passed over with one line in the log.

    The module of the runtime is imported. Raises ModelError.
    """
    available = list(usable(named_by(manifest)))
    while True:
        variant, name = choose(manifest, wanted=wanted, available=available)
        reason = module(name).unfit()
        if reason is None:
            return variant, name
        log.write("warning", message=f"runtime {name} is passed over: {reason}")
        available.remove(name)
        wanted = None if wanted == name else wanted


def module(runtime: str) -> RuntimeModule:
    """Import the module of a runtime."""
    return cast("RuntimeModule", importlib.import_module(MODULES[runtime][0]))


def check_kind(file: Path, inputs: int, first: TensorSpec, output: TensorSpec) -> None:
    """Raise ModelError unless a model takes one tensor of fixed size and gives scores, in types that are known."""
    if inputs != 1 or first.dtype not in DTYPES or output.dtype not in DTYPES:
        raise ModelError(
            f"{file} has {inputs} inputs, the first {first.dtype}, and gives {output.dtype}: "
            f"one image or feature vector in and scores out, each of {', '.join(DTYPES)}, are expected; "
            "convert such a model"
        )
    if math.prod(first.shape) <= 0:
        raise ModelError(f"{file} has an input of shape {list(first.shape)}: convert it with fixed sizes")


def check_shapes(file: Path, interpreter: Interpreter, manifest: Manifest, variant: Variant) -> None:
    """Compare the model's tensors with its manifest. Raises ModelError."""
    expected = _shape(manifest, variant)
    if interpreter.input.shape != expected:
        raise ModelError(
            f"{file}: its input has the shape {list(interpreter.input.shape)}, expected {list(expected)}: "
            "convert with a static batch of 1, or correct `input` in the manifest"
            + _axes(interpreter.input.shape, expected)
        )
    names = interpreter.input.names
    if manifest.features and names and names != manifest.features.names:
        raise ModelError(
            f"{file}: it was trained on the features {', '.join(names):.300}, in this order; "
            "correct `input.features` in the manifest"
        )
    if interpreter.input.dtype != variant.input_dtype:
        raise ModelError(
            f"{file}: its input is {interpreter.input.dtype}, the manifest says {variant.input_dtype}: "
            "correct `input_dtype` in the manifest"
        )
    scores = math.prod(interpreter.output.shape)
    if scores != len(manifest.labels) and (scores, len(manifest.labels)) != (1, 2):
        raise ModelError(
            f"{file}: its output has {scores} scores, the manifest has {len(manifest.labels)} labels: "
            "correct `labels` in the manifest"
        )


def _shape(manifest: Manifest, variant: Variant) -> tuple[int, ...]:
    """The input that a model's file must have."""
    if manifest.features:
        return 1, len(manifest.features.names)
    size = manifest.input
    return (1, 3, size.height, size.width) if variant.layout == "nchw" else (1, size.height, size.width, 3)


def _axes(found: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """A hint where only the colours stand elsewhere."""
    if len(found) != 4 or len(expected) != 4 or found == expected or sorted(found) != sorted(expected):
        return ""
    return ', or say `"layout": "nchw"` of this variant' if found[1] == 3 else ", or take `layout` out"


def real_values(stored: Sequence[int], spec: TensorSpec) -> list[float]:
    """Stored integers as real values."""
    scale = spec.scale or 1.0
    return [(value - spec.zero_point) * scale for value in stored]
