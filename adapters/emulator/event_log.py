"""The event log of a local cloud: starts, ends and requests of its instances, as they happened.

JSON lines. The measuring side never reads it; tests compare the harness's classification with it.
Times are seconds of `perf_counter` since the ledger was opened.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any


class EventLog:
    """Appends to one file."""

    def __init__(self, path: Path, *, cloud: str) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._zero_s = time.perf_counter()
        self.write("opened", cloud=cloud, unix_s=time.time())

    def now_s(self) -> float:
        return time.perf_counter() - self._zero_s

    def write(self, event: str, **fields: Any) -> dict[str, Any]:
        """Add one line, and return it."""
        record = {"event": event, "at_s": round(self.now_s(), 6), **fields}
        self._file.write(json.dumps(record) + "\n")
        return record

    def read(self) -> bytes:
        """Everything so far."""
        self._file.flush()
        return self.path.read_bytes()

    def close(self) -> None:
        self._file.close()
