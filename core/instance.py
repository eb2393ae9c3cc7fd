"""Keep what this instance knows of itself, the evidence for "cold". Every entry file imports this first.

Only the standard library's cheapest parts are imported here: the clock starts with this module.
"""

from __future__ import annotations

import gc
import os
import time
from threading import Lock

from core.wire import Evidence, Initialisation

_STARTED_S = time.perf_counter()
_STARTED_UNIX_S = time.time()

# Imports make many objects and no garbage: looking for some took 6 ms of a cold start of 120 (bench/, 2026-11-21).
_TICK_S = 0.010
_THRESHOLDS = gc.get_threshold()
gc.set_threshold(50_000)


def process_start_unix_s() -> float | None:
    """When the kernel started this process, down to a tick of 10 ms; None where it does not tell (macOS, Windows).

    A local cloud knows better when it started the process, and says so in TRIPOINT_PROCESS_START_S.
    Source: proc(5), /proc/pid/stat field 22, clock ticks after boot.
    """
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123 - pathlib would be an import more
            after_name = file.read().rpartition(b")")[2].split()
        since_boot_s = int(after_name[19]) / os.sysconf("SC_CLK_TCK")
        start_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME) + since_boot_s
    except (OSError, AttributeError, IndexError, ValueError):
        return None
    return round(_within_tick(start_s, os.environ.get("TRIPOINT_PROCESS_START_S")), 4)


def _within_tick(start_s: float, told: str | None) -> float:
    """The start that the parent process told, where it lies in the same tick: a forked child was started later."""
    try:
        told_s = float(told or "nan")
    except ValueError:
        return start_s
    return max(told_s, start_s) if start_s - _TICK_S / 2 <= told_s <= start_s + 1.5 * _TICK_S else start_s


class InstanceState:
    """Counts the requests of one process and remembers how it started.

    `started_s` is of `perf_counter`, `started_unix_s` of the wall clock, both taken at the first line. An entry sets
    `platform`, before it is ready, where its platform says how the instance came to be.
    """

    platform: str | None = None

    def __init__(self, *, started_s: float, started_unix_s: float) -> None:
        self._started_s = started_s
        self._started_unix_s = round(started_unix_s, 6)
        self._process_start_unix_s = process_start_unix_s()
        self._imported_s = self._ready_s = started_s
        self._is_ready = False
        self.initialisation = self._initialised(at_s=started_s, model_load_ms=0.0)
        self._become_new()

    def _initialised(self, *, at_s: float, model_load_ms: float) -> Initialisation:
        return Initialisation(
            process_start_unix_s=self._process_start_unix_s,
            init_start_unix_s=self._started_unix_s,
            init_ms=_ms(at_s - self._started_s),
            imports_ms=_ms(self._imported_s - self._started_s),
            model_load_ms=round(model_load_ms, 3),
            platform=self.platform,
        )

    def _become_new(self) -> None:
        self.name = os.urandom(8).hex()
        self._requests = 0
        self._lock = Lock()

    def forked(self) -> None:
        """Start anew in a forked child: a server's worker is an instance of its own, ready when it was forked.

        How it was initialised is what its parent did, which gunicorn's workers share.
        """
        self._become_new()
        if self._is_ready:
            self._ready_s = time.perf_counter()

    def mark_imported(self) -> None:
        """Say that every import is done and the model comes next."""
        if not self._is_ready:
            self._imported_s = time.perf_counter()

    def mark_ready(self, *, model_load_ms: float) -> None:
        """Say that requests may come; only the first time counts."""
        if not self._is_ready:
            _settle()
            self._ready_s = time.perf_counter()
            self.initialisation = self._initialised(at_s=self._ready_s, model_load_ms=model_load_ms)
            self._is_ready = True

    def arrived(self, at_s: float) -> Evidence:
        """Count one request that reached the handler at `at_s` (of `perf_counter`)."""
        with self._lock:
            self._requests += 1
            number = self._requests
        return Evidence(self.name, number, _ms(at_s - self._ready_s), self.initialisation)


def _settle() -> None:
    """Freeze the objects that stay for good, and collect garbage among the others only.

    The memory of the frozen objects stays shared with forked children for longer.
    """
    if gc.get_threshold() != _THRESHOLDS:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


CURRENT = InstanceState(started_s=_STARTED_S, started_unix_s=_STARTED_UNIX_S)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=CURRENT.forked)
