"""The load test's end of the live figures: asks a process beside it for the figures of the run's store.

The load test hands on the path of the store only, and never waits for that process while it sends requests.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import gevent
from gevent.event import Event
from gevent.fileobject import FileObject

from loadtests.launch import python_path

LOG = logging.getLogger(__name__)
FRESH_FOR_S = 0.5  # a second look within this time gets the same figures
STOP_WITHIN_S = 5.0
ENDED = "the live figures ended before the run: the run goes on and keeps its samples"


class LiveFeed:
    """One process for the live figures of one run after the other; it ends with `close` or with this process.

    The documents of `look` are those of `loadtests.live.figures.live_document`, with `problem`, a sentence, while the
    figures are not up to date.
    """

    def __init__(self) -> None:
        reading, writing = os.pipe()
        answers, answering = os.pipe()
        command = [sys.executable, "-m", "loadtests.live.process"]
        environ = {**os.environ, "PYTHONPATH": python_path()}
        self._process = subprocess.Popen(command, stdin=reading, stdout=answering, env=environ)
        os.close(reading)
        os.close(answering)
        self._commands = FileObject(writing, "wb", bufsize=0)
        self._arrived = Event()
        self._asked = self._answered = 0
        self._latest: dict[str, Any] = {"elapsed_s": 0.0, "targets": []}
        self._latest_s = float("-inf")
        self._problem: str | None = None
        self._reader = gevent.spawn(self._read, answers)

    def begin(self, store: Path) -> None:
        """Forget the run before; the next figures are those of the run in `store`, the store's file."""
        self._latest_s = float("-inf")
        self._send({"begin": str(store.resolve())})

    def look(self, *, within_s: float, last: bool = False) -> dict[str, Any]:
        """Return the figures now, or those of the look before when there are none within that time.

        With `last` they have every sample in the store, unless it has become too large to be read once more;
        otherwise they may be some seconds old, for a large store longer.
        """
        stale = perf_counter() - self._latest_s > FRESH_FOR_S
        if (last or stale) and self._problem is None:
            if last or self._asked == self._answered:
                self._asked += 1
                self._send({"look": last})
            self._wait_for(self._asked, end_s=perf_counter() + within_s)
        return self._latest if self._problem is None else {**self._latest, "problem": self._problem}

    def _wait_for(self, number: int, *, end_s: float) -> None:
        """Wait until that many looks were answered, the process ended, or it is `end_s`."""
        while self._answered < number and self._problem is None and (left_s := end_s - perf_counter()) > 0:
            self._arrived.clear()
            self._arrived.wait(timeout=left_s)

    def close(self) -> None:
        """End the process."""
        self._reader.kill(block=True, timeout=1)
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._commands.close()

    def _send(self, command: dict[str, Any]) -> None:
        """Write one command; the pipe has room, because at most one look and a last one are open."""
        try:
            self._commands.write(json.dumps(command).encode() + b"\n")
        except BrokenPipeError:
            self._end()

    def _read(self, answers: int) -> None:
        with FileObject(answers, "rb") as pipe:
            for line in pipe:
                self._latest, self._latest_s = json.loads(line), perf_counter()
                self._answered += 1
                self._arrived.set()
        self._end()

    def _end(self) -> None:
        """Note that the process ended too early; the run goes on without it."""
        if self._problem is None:
            self._problem = ENDED
            LOG.warning("%s", self._problem)
            self._arrived.set()
