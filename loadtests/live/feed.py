"""The load test's end of the live figures: hands samples to a process beside it and asks it for the figures.

Nothing here ever waits for that process in the way of the load: samples queue, and what does not fit is counted.
"""

from __future__ import annotations

import json
import logging
import marshal
import os
import subprocess
import sys
from collections import deque
from time import perf_counter
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import Event
from gevent.fileobject import FileObject

from loadtests.launch import python_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.plan.targets import Target

    Row = Sequence[Any]

LOG = logging.getLogger(__name__)
QUEUE_MAX_BYTES = 64 * 2**20
FRESH_FOR_S = 0.5  # whoever asks again so soon gets the same figures
STOP_WITHIN_S = 5.0


class LiveFeed:
    """One process for the live figures of one run after the other; it ends with `close` or with this process.

    Documents of `live` are those of `LiveFigures.document` (loadtests/live/figures.py). `missed` tells how many
    samples they lack because the process fell behind, and `problem` says in words what went wrong.
    """

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self._reading, writing = os.pipe()
        command = [sys.executable, "-m", "loadtests.live.process"]
        environ = {**os.environ, "PYTHONPATH": python_path()}
        self._process = subprocess.Popen(command, stdin=reading, stdout=writing, env=environ)
        os.close(reading)
        os.close(writing)
        self._queue: deque[bytes] = deque()
        self._queued_bytes = self._missed = 0
        self._queued, self._told = Event(), Event()
        self._asked = self._answered = 0
        self._latest: dict[str, Any] = {"elapsed_s": 0.0, "targets": []}
        self._latest_s = float("-inf")
        self._problem: str | None = None
        self._greenlets = [gevent.spawn(self._write), gevent.spawn(self._read)]

    def begin(self, targets: Sequence[Target]) -> None:
        """Forget the run before; the next samples are those of a new run."""
        self._latest_s, self._missed = float("-inf"), 0
        self._put("begin", [target.document() for target in targets])

    def take(self, rows: Sequence[Row]) -> None:
        """Hand on samples, as `loadtests.record.sample.as_row` makes them or as they came in a message."""
        if self._queued_bytes > QUEUE_MAX_BYTES or self._problem is not None:
            self._missed += len(rows)
        else:
            self._put("rows", [tuple(row) for row in rows])

    def look(self, *, within_s: float, whole: bool = False) -> dict[str, Any]:
        """The figures now, those of before when there are none within that time.

        With `whole` they have every sample that was handed on; otherwise they may be some tenths of a second old.
        """
        stale = perf_counter() - self._latest_s > FRESH_FOR_S
        if (whole or stale) and self._problem is None:
            if whole or self._asked == self._answered:
                self._asked += 1
                self._put("look", None)
            self._wait_for(self._asked, end_s=perf_counter() + within_s)
        problem = {"problem": self._problem} if self._problem is not None else {}
        return {**self._latest, "missed": self._missed, **problem}

    def _wait_for(self, number: int, *, end_s: float) -> None:
        """Wait until that many looks were answered, the process ended, or it is `end_s`."""
        while self._answered < number and self._problem is None and (left_s := end_s - perf_counter()) > 0:
            self._told.clear()
            self._told.wait(timeout=left_s)

    def close(self) -> None:
        """End the process."""
        gevent.killall(self._greenlets, block=True, timeout=1)
        self._greenlets = []
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _put(self, kind: str, body: Any) -> None:
        message = marshal.dumps((kind, body))
        self._queue.append(message)
        self._queued_bytes += len(message)
        self._queued.set()

    def _write(self) -> None:
        try:
            with FileObject(self._writing, "wb", bufsize=0) as pipe:
                while True:
                    self._queued.wait()
                    self._queued.clear()
                    while self._queue:
                        message = self._queue.popleft()
                        self._queued_bytes -= len(message)
                        while message:  # a pipe takes what it has room for
                            message = message[pipe.write(message) :]
        except BrokenPipeError:
            self._end()

    def _read(self) -> None:
        with FileObject(self._reading, "rb") as pipe:
            for line in pipe:
                self._latest, self._latest_s = json.loads(line), perf_counter()
                self._answered += 1
                self._told.set()
        self._end()

    def _end(self) -> None:
        """The process is gone before it was asked to: say so, and let the run go on."""
        if self._problem is None:
            self._problem = "the live figures ended before the run: its samples are kept as ever"
            LOG.warning("%s", self._problem)
            self._queue.clear()
            self._told.set()
