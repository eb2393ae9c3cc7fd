"""Show how training goes: bars on a terminal, one line for each epoch in a file."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from model.training.checkpoint import Epoch


class TrainingProgress:
    """A context: `phase` names what is going on, `step` and `epoch` move it (`trainer.Listener`)."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._console = Console(file=stream or sys.stderr)
        self._bars = Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bars.add_task("start", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def phase(self, name: str) -> None:
        """Begin another part of the work."""
        self._bars.reset(self._task, total=None, description=name)
        if not self._console.is_terminal:
            self._console.print(name, highlight=False)

    def step(self, done: int, total: int) -> None:
        """`done` of `total` pieces of the present part are done."""
        self._bars.update(self._task, completed=done, total=total)

    def epoch(self, epoch: Epoch, *, best: bool) -> None:
        """One epoch ended: tell it in a line that stays."""
        mark = " *" if best else ""
        self._console.print(
            f"epoch {epoch.number:3}  training loss {epoch.training_loss:.4f}  "
            f"validation loss {epoch.loss:.4f}  accuracy {epoch.accuracy:.4f}{mark}",
            highlight=False,
        )
        self._bars.reset(self._task, total=None, description=f"epoch {epoch.number + 1}")
