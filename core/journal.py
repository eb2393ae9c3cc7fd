"""The log: one JSON line per event on standard error, where every cloud collects it.

Cloud Logging reads `severity` and `message` of such lines by itself
(cloud.google.com/logging/docs/structured-logging, read 2026-11-20).
Image data and the queries of URLs are never written.
"""

from __future__ import annotations

import json
import sys
import time

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "off": 100}
_threshold = _LEVELS["info"]


def set_level(level: str) -> None:
    """Write events of this level and above from now on; "off" writes none."""
    global _threshold
    _threshold = _LEVELS[level]


def write(level: str, **fields: object) -> None:
    """Write one event; fields that are None are left out."""
    if _LEVELS[level] < _threshold:
        return
    line = {"severity": level.upper(), "time_unix_s": round(time.time(), 3)}
    line |= {name: value for name, value in fields.items() if value is not None}
    sys.stderr.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
    sys.stderr.flush()


def traceback_of(error: BaseException) -> str:
    """The traceback as text; its module is imported only when it is needed."""
    import traceback

    return "".join(traceback.format_exception(error))[-4000:]
