"""Try one runtime in this process, which it may crash: `python -m cli.diagnosis.trial RUNTIME`.

The last line on standard output is JSON: `{"ok": …, "found": "…"}`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from core import manifest, runtime
from core.errors import TripointError
from core.service import Service
from core.wire import Request

MODEL = Path(__file__).resolve().parents[2] / "model"
PHOTOGRAPH = MODEL / "samples" / "pants-navy.jpg"


def attempt(name: str) -> tuple[bool, str]:
    """Classify a photograph with the built-in model; only import a runtime for which the model has no file."""
    if reason := runtime.module(name).unfit():
        return False, reason
    if name not in runtime.named_by(manifest.load(MODEL / "clothes")):
        return True, "it can be imported; the built-in model has no file for it"
    service = Service.from_env({"TRIPOINT_MODEL": "clothes", "TRIPOINT_RUNTIME": name, "TRIPOINT_LOG_LEVEL": "error"})
    answer = service.infer(Request("POST", "/classify", {}, {"content-type": "image/jpeg"}, PHOTOGRAPH.read_bytes()))
    if answer.status != 200:
        return False, json.dumps(answer.document)
    best = answer.document["predictions"][0]  # type: ignore[index]
    return True, f"it classified a photograph as {best['label']!r} ({best['score']:.3f})"


def main(name: str) -> None:
    """Print the result on standard output."""
    try:
        ok, found = attempt(name)
    except (TripointError, ImportError, OSError, ValueError, RuntimeError) as error:
        ok, found = False, str(error)
    print(json.dumps({"ok": ok, "found": found}))


if __name__ == "__main__":
    main(sys.argv[1])
