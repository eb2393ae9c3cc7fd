"""Show the phases of a long command: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from loadtests.launch import RunProgress as LoadProgress

_LINE_EVERY_S = 5.0
_DRAWN_PER_S = 4


class Display:
    """A display of phases on standard error, so that standard output holds only the result."""

    def __init__(self, *, quiet: bool = False, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True, quiet=quiet, highlight=False)
        columns = (TextColumn("{task.description:<24}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bars = Progress(*columns, TextColumn("{task.fields[left]}"), console=self.console)
        self._screen = Live(self._bars, console=self.console, refresh_per_second=_DRAWN_PER_S)
        self._drawn = self.console.is_terminal and not self.console.is_dumb_terminal and not quiet
        self._tasks: dict[str, TaskID] = {}
        self._last_line_s = 0.0

    def __enter__(self) -> Self:
        if self._drawn:
            self._screen.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._drawn:
            self._screen.update(self._bars)  # the figures so far make room for the result
            self._screen.stop()

    @property
    def on_live(self) -> Callable[[dict[str, Any]], None] | None:
        """The function that draws the load test's figures so far; None where no figures are drawn."""
        return self._draw_live if self._drawn else None

    def show(self, phase: str, done: int, total: int, *, left_s: float | None = None) -> None:
        """Draw `phase` at `done` of `total`; `left_s` is what is left of the whole run, in seconds."""
        left = f"about {left_s:.0f} s left" if left_s else ""
        if self._drawn:
            if phase not in self._tasks:
                self._tasks[phase] = self._bars.add_task(phase, total=total, left=left)
            self._bars.update(self._tasks[phase], completed=done, total=total, left=left)
        elif self._is_due(phase, done, total):
            self.console.print(f"{phase}: {done} of {total} {left}".rstrip())

    def show_load(self, progress: LoadProgress) -> None:
        """Draw the progress of the load test."""
        self.show(progress.phase, progress.done, progress.total, left_s=progress.left_s)

    def _draw_live(self, document: dict[str, Any]) -> None:
        """Draw the targets below the phases; `document` is that of `loadtests.live.figures.live_document`."""
        from loadtests.live.table import live_table

        if document["targets"]:
            self._screen.update(Group(self._bars, live_table(document)))

    def _is_due(self, phase: str, done: int, total: int) -> bool:
        """Return whether a plain line is due: at a phase's start and end, and every few seconds between."""
        now_s = time.monotonic()
        known = phase in self._tasks
        self._tasks[phase] = TaskID(0)
        if known and done < total and now_s - self._last_line_s < _LINE_EVERY_S:
            return False
        self._last_line_s = now_s
        return True
