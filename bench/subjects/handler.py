"""Our handler on a cloud's own event: from `translate.decode` to `translate.encode`, whatever the entry file does."""

from __future__ import annotations

import importlib
import sys
import time
from typing import TYPE_CHECKING, Any

from bench.subjects.loop import event, serve

if TYPE_CHECKING:
    from collections.abc import Callable


class Stopwatch:
    """Wraps the two functions of a `translate` module; `took_s` is from the start of the one to the end of the other.

    So the test client that makes a platform's request object is not counted.
    """

    def __init__(self, translate: Any) -> None:
        self._started_s = self.took_s = 0.0
        decode, encode = translate.decode, translate.encode
        translate.decode = lambda *arguments: self._start(decode, arguments)
        translate.encode = lambda *arguments: self._stop(encode, arguments)

    def _start(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        self._started_s = time.perf_counter()
        return function(*arguments)

    def _stop(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        found = function(*arguments)
        self.took_s = time.perf_counter() - self._started_s
        return found


def main() -> None:
    """Arguments: the folder with images and events, the cloud."""
    from adapters import contract

    cloud = sys.argv[2]
    instances = contract.load(cloud).instances()
    stopwatch = Stopwatch(importlib.import_module(f"adapters.{cloud}.translate"))

    def answer(found: dict[str, Any]) -> int:
        answered = instances.replay(found)
        assert answered.status == 200, answered
        return answered.status

    serve(lambda number: event(cloud, number), answer, took=lambda: stopwatch.took_s)
