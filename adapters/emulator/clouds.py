"""Start local clouds, each in a process of its own, and end them."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.emulator.options import EmulatorOptions

if TYPE_CHECKING:
    OnEvent = Callable[[str, dict[str, Any]], None]

READY_WITHIN_S = 60.0
END_WITHIN_S = 5.0
_FIELDS = ("cloud", "url", "control", "plan", "memory_mb", "concurrency", "cpu_share", "python", "fronts")


class CloudFailed(RuntimeError):
    """A local cloud did not come up, or went down; the message carries its last words."""


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A running local cloud: a POST of image bytes to `url` classifies; `control` is its control plane.

    `cpu_share` says in words whether CPU and memory shares are enforced; `python` is the interpreter's version;
    `fronts` are the URLs of all its front doors by name.
    """

    cloud: str
    url: str
    control: str
    plan: str
    memory_mb: int
    concurrency: int
    cpu_share: str
    python: str
    fronts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CloudLaunch:
    """One local cloud to start: its `cloud`, the `name` that it is known by, and its options."""

    name: str
    cloud: str
    options: EmulatorOptions


@contextmanager
def start(
    names: Sequence[str], options: EmulatorOptions | None = None, *, on_event: OnEvent | None = None
) -> Iterator[dict[str, LocalCloud]]:
    """Start the clouds at the same time and yield them by name; on the way out all of them are gone.

    `on_event` gets every event (cloud, event), from threads; the last of each is `ended`. Raises CloudFailed.
    """
    launches = [CloudLaunch(name, name, options or EmulatorOptions()) for name in names]
    with start_all(launches, on_event=on_event) as running:
        yield running


@contextmanager
def start_all(launches: Sequence[CloudLaunch], *, on_event: OnEvent | None = None) -> Iterator[dict[str, LocalCloud]]:
    """As `start`, of clouds with options of their own, of which some may be the same cloud."""
    children: list[Child] = []
    try:
        children.extend(Child(each, on_event) for each in launches)
        deadline_s = time.monotonic() + READY_WITHIN_S
        yield {child.name: child.ready(deadline_s - time.monotonic()) for child in children}
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.end()


class Child:
    """One `python -m adapters.emulator` process; it also ends by itself when its standard input closes."""

    def __init__(self, launch: CloudLaunch, on_event: OnEvent | None) -> None:
        self.name = launch.name
        self._on_event = on_event
        self._first: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last_words: list[str] = []
        self._process = subprocess.Popen(
            [
                *(launch.options.python or sys.executable, "-m", "adapters.emulator", launch.cloud),
                *("--options", launch.options.text(), "--end-with-stdin"),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C reaches the parent alone, which then ends the children in order
        )
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read_events, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def ready(self, timeout_s: float) -> LocalCloud:
        """Wait for the first event. Raises CloudFailed when there is none."""
        try:
            event = self._first.get(timeout=max(timeout_s, 0.0))
        except queue.Empty:
            raise CloudFailed(f"local cloud {self.name!r} was not ready after {READY_WITHIN_S:.0f} s") from None
        if event.get("event") != "ready":
            self._process.wait(END_WITHIN_S)
            self._threads[1].join(END_WITHIN_S)
            words = "".join(self._last_words[-20:]).strip() or f"exit status {self._process.returncode}"
            raise CloudFailed(f"local cloud {self.name!r} did not start: {words}")
        return LocalCloud(**{name: event[name] for name in _FIELDS})

    def terminate(self) -> None:
        """Ask it to end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """Wait for its end, for a while; then kill it (its cleanup process ends what it leaves)."""
        try:
            self._process.wait(END_WITHIN_S)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for thread in self._threads:
            thread.join(END_WITHIN_S)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_events(self) -> None:
        assert self._process.stdout is not None
        first = True
        for line in self._process.stdout:
            event = json.loads(line)
            if first:
                self._first.put(event)
                first = False
            if self._on_event is not None:
                self._on_event(self.name, event)
        self._first.put({"event": "ended"})
        if self._on_event is not None:
            self._on_event(self.name, {"event": "ended"})

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._last_words = [*self._last_words[-99:], line.decode(errors="replace")]
