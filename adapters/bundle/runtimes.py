"""Choose the runtime that a model ships with, and the packages that the runtime needs."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Sequence
from pathlib import Path

from adapters.bundle.errors import BundleError
from core import manifest, runtime
from core.errors import ModelError

# Runtime -> its packages, Pillow apart, which goes with images. The first that a model names is the default.
# What a package merely declares to need is left out where nothing here imports it: flatbuffers, protobuf and
# packaging for ONNX Runtime; numpy and scipy for XGBoost, whose library is called directly.
ENGINES = {
    "litert": ("numpy", "ai-edge-litert"),
    "litert-direct": ("ai-edge-litert",),  # no numpy: images for models with uint8 input only
    "tflite-runtime": ("numpy", "tflite-runtime"),
    "onnxruntime": ("numpy", "onnxruntime"),
    "xgboost": ("xgboost-cpu",),
}
OPTIONAL = frozenset({"pillow"}.union(*ENGINES.values()))
_TFLITE = ("litert-direct", "litert", "tflite-runtime")


def default_runtime(folder: Path) -> str:
    """The runtime to ship a model with; "litert" where its manifest cannot be read, which preflight then tells."""
    try:
        named = runtime.named_by(manifest.load(folder))
    except ModelError:
        return "litert"
    return next(name for name in ENGINES if name in named)


def packages(name: str, folder: Path) -> tuple[str, ...]:
    """What a bundle with the model in `folder` carries for this runtime."""
    return (*ENGINES[name], "pillow") if takes_images(folder) else ENGINES[name]


def takes_images(folder: Path) -> bool:
    try:
        return manifest.load(folder).features is None
    except ModelError:
        return True


def local_packages(folder: Path, usual: Sequence[str]) -> tuple[str, ...]:
    """What a local bundle carries: `usual`, or what a model needs that is for no TFLite runtime of this machine.

    Raises BundleError with the remedy where no runtime that the model is for is installed.
    """
    try:
        found = manifest.load(folder)
    except ModelError:
        return tuple(usual)  # the instance will tell
    wanted, available = os.environ.get("TRIPOINT_RUNTIME") or None, runtime.usable(runtime.named_by(found))
    try:
        chosen = runtime.choose(found, wanted=wanted, available=available)[1]
    except ModelError as error:
        raise BundleError(str(error)) from error
    return tuple(usual) if chosen in _TFLITE else tuple(map(_here, packages(chosen, folder)))


def _here(package: str) -> str:
    """XGBoost has two packages: the smaller one is not made for macOS, and the other may be the one installed."""
    return "xgboost" if package == "xgboost-cpu" and not _installed(package) else package


def _installed(package: str) -> bool:
    try:
        importlib.metadata.distribution(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
