"""`python -m loadtests.live.process`: adds up a run's samples beside it, so that the load test does not have to.

Reads messages from standard input, one after the other as `marshal` writes them: `("begin", [target, …])` for a
new run, `("rows", [row, …])`, and `("look", None)`, which is answered by one line of JSON. Ends with its input.
"""

from __future__ import annotations

import contextlib
import json
import marshal
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from loadtests.live.figures import LiveFigures
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.sample import Sample

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

NICENESS = 10  # whoever sends requests goes first
NOTHING: dict[str, Any] = {"elapsed_s": 0.0, "targets": []}


def serve(source: BinaryIO) -> Iterator[dict[str, Any]]:
    """The answers to the messages in `source`, to its end."""
    live = None
    for kind, body in messages(source):
        if kind == "begin":
            live = LiveFigures([Target.from_document(each) for each in body], bundled_book())
        elif kind == "rows" and live is not None:
            live.take([Sample(*row) for row in body])
        elif kind == "look":
            yield live.document() if live is not None else NOTHING


def messages(source: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Messages until there are no more; a last one that was cut off is none."""
    with contextlib.suppress(EOFError):
        while True:
            yield marshal.load(source)  # from our own parent's pipe


def main() -> None:
    """Answer on standard output; Ctrl-C is for the load test, which ends our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError):
        for answer in serve(sys.stdin.buffer):
            print(json.dumps(answer, allow_nan=False), flush=True)


if __name__ == "__main__":
    main()
