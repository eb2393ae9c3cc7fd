"""Decide whether a graph is an image classifier that the core can serve, and if not, say what it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from adapters.bundle.model_lookup import RegistryError
from core.manifest import DTYPES

if TYPE_CHECKING:
    from model.registry.graph import Graph, Tensor

_SIDE_MAX = 4096


def check(graph: Graph) -> None:
    """Raise RegistryError unless the graph takes one RGB image and gives one list of scores, with fixed sizes."""
    _check_operators(graph)
    _check_counts(graph)
    _check_image(graph, graph.inputs[0])
    _check_scores(graph, graph.outputs[0])


def _check_operators(graph: Graph) -> None:
    named = ", ".join(graph.customs)
    if any("edgetpu" in name for name in graph.customs):
        raise RegistryError(
            f"{graph.file} is compiled for an Edge TPU ({named}), which clouds do not have: "
            "use the file that it was compiled from, of the same name without _edgetpu"
        )
    if any(name.startswith("Flex") for name in graph.customs):
        raise RegistryError(
            f"{graph.file} needs TensorFlow's own operators ({named}), which no small runtime has: "
            "convert it again with TFLITE_BUILTINS only"
        )
    if "TFLite_Detection_PostProcess" in graph.customs:
        raise RegistryError(
            f"{graph.file} finds objects and their boxes: expected a classifier; choose another model"
        )
    if graph.customs:
        raise RegistryError(
            f"{graph.file} needs operators of its own ({named}), which the runtimes do not have: "
            "convert it with built-in operators only"
        )


def _check_counts(graph: Graph) -> None:
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise RegistryError(
            f"{graph.file} has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs: "
            "expected one image in and one list of scores out; convert the classifier alone"
        )


def _check_image(graph: Graph, image: Tensor) -> None:
    shape = list(image.shape)
    if image.dtype not in DTYPES:
        raise RegistryError(
            f"{graph.file} takes {image.dtype}: expected one of {', '.join(DTYPES)}; convert it with such an input"
        )
    if len(shape) != 4:
        raise RegistryError(f"{graph.file} takes a tensor of shape {shape}: expected an image, [1, height, width, 3]")
    if -1 in shape[1:] or 0 in shape or (shape[0] == -1 and math.prod(shape[1:]) <= 3):
        raise RegistryError(f"{graph.file} takes {shape}, which leaves its size open: convert it with a fixed size")
    if shape[0] not in (1, -1):
        raise RegistryError(f"{graph.file} takes {shape[0]} images at once: convert it with a static batch of 1")
    if 3 not in (shape[3], shape[1]):
        raise RegistryError(
            f"{graph.file} takes {shape}: expected three channels, [1, height, width, 3]; "
            "convert it with a first layer that takes RGB"
        )
    if max(shape) > _SIDE_MAX:
        raise RegistryError(f"{graph.file} takes {shape}: expected sides of up to {_SIDE_MAX} px; convert it smaller")


def _check_scores(graph: Graph, scores: Tensor) -> None:
    shape = list(scores.shape)
    if scores.dtype not in DTYPES:
        raise RegistryError(
            f"{graph.file} gives {scores.dtype}: expected one of {', '.join(DTYPES)}; convert it with such an output"
        )
    sides = [side for side in shape if side not in (1, -1)]
    if len(sides) > 1:
        raise RegistryError(
            f"{graph.file} gives {shape}: expected one list of scores, [1, labels]; "
            "this is no classifier (a map or boxes?): choose another model"
        )


def is_channels_first(image: Tensor) -> bool:
    """Whether the axes are [1, 3, height, width], as PyTorch has them."""
    return image.shape[1] == 3 and image.shape[3] != 3


def size_of(image: Tensor) -> tuple[int, int]:
    """Height and width in px."""
    return (image.shape[2], image.shape[3]) if is_channels_first(image) else (image.shape[1], image.shape[2])
