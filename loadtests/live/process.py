"""`python -m loadtests.live.process`: summarise a run's store beside the load test, at a lower priority.

The process reads commands from standard input, one JSON document per line: `{"begin": "path of the store"}` for a new
run, and `{"look": last}`, which it answers with one line of JSON. It ends when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

from loadtests.live.figures import live_document
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import StoreError, open_store

NICENESS = 10  # the processes that send requests go first
BUSY_SHARE = 0.1  # of a processor: after a look that took 1 s of it, the next one starts 9 s later at the earliest
LAST_LOOK_MAX_S = 5.0  # the end of a run does not wait for a last look at a store that takes longer
NOTHING: dict[str, Any] = {"elapsed_s": 0.0, "targets": []}


class StoreReader:
    """Figures of one run's store, read again as often as takes BUSY_SHARE of a processor at most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document = NOTHING
        self._signature: list[tuple[int, int]] = []
        self._took_s = 0.0
        self._next_s = float("-inf")

    def look(self, *, last: bool = False) -> dict[str, Any]:
        """Return the figures so far; those of the look before when it is too early, or when nothing was written.

        A `last` look is never too early, unless the store has become so large that a look takes LAST_LOOK_MAX_S.
        """
        due = self._took_s < LAST_LOOK_MAX_S if last else False
        if due or perf_counter() >= self._next_s:
            self._read_changes()
        return self._document

    def _read_changes(self) -> None:
        signature = signature_of(self._path)
        if signature == self._signature and "problem" not in self._document:
            return
        start_s = process_time()  # while others have the processor, waiting is no work
        try:
            self._document = document_of(self._path)
        except (StoreError, sqlite3.Error) as error:
            problem = f"the live figures are not up to date: {error}; the run goes on and keeps its samples"
            self._document = {**self._document, "problem": problem}
        self._signature, self._took_s = signature, process_time() - start_s
        self._next_s = perf_counter() + self._took_s * (1 / BUSY_SHARE - 1)


def document_of(path: Path) -> dict[str, Any]:
    """Return the figures of the samples that the store holds now. Raises StoreError or sqlite3.Error."""
    with open_store(path) as store:
        every = [Target.from_document(target) for target in store.header()["targets"]]
        samples = store.samples()
    targets = [target for target in every if not target.empty]
    return live_document(targets, classify_samples(samples), bundled_book())


def signature_of(path: Path) -> list[tuple[int, int]]:
    """Return time and size of the store's file and of its write-ahead log, which change with every write."""
    signature = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with contextlib.suppress(OSError):
            status = file.stat()
            if status.st_size:  # reading alone makes an empty log
                signature.append((status.st_mtime_ns, status.st_size))
    return signature


def serve(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield the answers to the commands in `lines`."""
    reader = None
    for line in lines:
        command = json.loads(line)
        if "begin" in command:
            reader = StoreReader(Path(command["begin"]))
        else:
            yield reader.look(last=command["look"]) if reader is not None else NOTHING


def main() -> None:
    """Answer on standard output; ignore Ctrl-C, on which the load test ends this process's input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with contextlib.suppress(BrokenPipeError):
        for answer in serve(sys.stdin):
            print(json.dumps(answer, allow_nan=False), flush=True)


if __name__ == "__main__":
    main()
