"""The state of a training run on disk, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = list["NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """What one epoch showed; `accuracy` and `loss` are the averaged weights' on the validation photographs."""

    number: int
    training_loss: float
    loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state after some epochs. `recipe` must be the same for a run to go on from here.

    `weights` are being trained, `average` is their moving average, `best` the average of the best epoch,
    `optimizer` the optimiser's own variables.
    """

    recipe: Mapping[str, object]
    history: tuple[Epoch, ...]
    weights: Arrays = field(default_factory=list)
    average: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)


_GROUPS = ("weights", "average", "best", "optimizer")


class CheckpointMismatch(Exception):
    """A checkpoint of another recipe lies in the output folder."""


def save(checkpoint: Checkpoint, file: Path) -> None:
    """Write the checkpoint in one step: a reader, or a crash, sees the old one or the new one."""
    header = {
        "recipe": dict(checkpoint.recipe),
        "history": [[e.number, e.training_loss, e.loss, e.accuracy] for e in checkpoint.history],
        "counts": [len(getattr(checkpoint, group)) for group in _GROUPS],
    }
    arrays = {f"{group}_{n}": a for group in _GROUPS for n, a in enumerate(getattr(checkpoint, group))}
    partial = file.with_name(file.name + ".partial")
    with partial.open("wb") as stream:
        np.savez(stream, header=np.frombuffer(json.dumps(header).encode(), np.uint8), **arrays)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(file)


def load(file: Path, recipe: Mapping[str, object]) -> Checkpoint | None:
    """Return the checkpoint in `file`, None when there is none.

    Raises CheckpointMismatch when it was made with another recipe.
    """
    if not file.exists():
        return None
    with np.load(file) as stored:
        header = json.loads(stored["header"].tobytes())
        if header["recipe"] != json.loads(json.dumps(dict(recipe))):
            raise CheckpointMismatch(
                f"{file} holds a run with another recipe: remove it, or name another --work folder\n"
                f"  there: {header['recipe']}\n  asked: {dict(recipe)}"
            )
        groups = {
            group: [stored[f"{group}_{n}"] for n in range(count)]
            for group, count in zip(_GROUPS, header["counts"], strict=True)
        }
    return Checkpoint(header["recipe"], tuple(Epoch(*row) for row in header["history"]), **groups)
