"""The log: one JSON line per event on standard error, where every cloud collects it.

Cloud Logging reads `severity` and `message` of such lines by itself
(cloud.google.com/logging/docs/structured-logging, read 2026-11-20).
Image data and the queries of URLs are never written.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.wire import Evidence, Request

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "off": 100}
_threshold = _LEVELS["info"]


def set_level(level: str) -> None:
    """Write events of this level and above from now on; "off" writes none."""
    global _threshold
    _threshold = _LEVELS[level]


def write(level: str, **fields: object) -> None:
    """Write one event; fields that are None are left out."""
    if _LEVELS[level] >= _threshold:
        line = {"severity": level.upper(), "time_unix_s": round(time.time(), 3)}
        line |= {name: value for name, value in fields.items() if value is not None}
        sys.stderr.write(json.dumps(line, separators=(",", ":"), default=str) + "\n")
        sys.stderr.flush()


def answered(request: Request, evidence: Evidence, *, status: int, code: str | None, total_ms: float) -> None:
    """Write the line of one request, as `write` would, but as text at once: it is on every request's path."""
    level = "error" if status >= 500 else "info"
    if _LEVELS[level] < _threshold:
        return
    message = json.dumps(f"{request.method[:20]} {request.path[:200]} {status}")
    failed = "" if code is None else f'"code":"{code}",'
    sys.stderr.write(
        f'{{"severity":"{level.upper()}","time_unix_s":{time.time():.3f},"message":{message},"status":{status},{failed}'
        f'"total_ms":{total_ms!r},"body_bytes":{len(request.body)},"instance":"{evidence.instance}",'
        f'"request_number":{evidence.request_number}}}\n'
    )
    sys.stderr.flush()


def traceback_of(error: BaseException) -> str:
    """The traceback as text; its module is imported only when it is needed."""
    import traceback

    return "".join(traceback.format_exception(error))[-4000:]
