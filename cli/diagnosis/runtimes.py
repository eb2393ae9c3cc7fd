"""Check which model runtimes are installed, and whether each classifies."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from cli.diagnosis.finding import Diagnosis
from core import runtime

_PART = "runtimes"
_WITHIN_S = 120.0


def look() -> Iterator[Diagnosis]:
    """Yield one finding for each runtime, and one more when none of them classifies."""
    found = [_look_at(name) for name in runtime.MODULES]
    yield from found
    if not any(each.state == "ok" and "classified" in each.found for each in found):
        yield Diagnosis(_PART, "a runtime", "missing", "none classifies with the built-in model", "run `make setup`")


def _look_at(name: str) -> Diagnosis:
    remedy = runtime.REMEDIES.get(name, "")
    if not runtime.installed(runtime.MODULES[name][1]):
        return Diagnosis(_PART, name, "note", "not installed", remedy)
    ok, found = _tried(name)
    return Diagnosis(_PART, name, "ok" if ok else "note", found, "" if ok else remedy)


def _tried(name: str) -> tuple[bool, str]:
    """Try a runtime in a process of its own: a wrong build may crash the process."""
    command = [sys.executable, "-m", "cli.diagnosis.trial", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
        answer = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return False, f"no answer within {_WITHIN_S:.0f} s"
    except OSError as error:
        return False, f"it could not be started: {error}"
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return False, f"it ended with status {done.returncode}: {last}"
    return bool(answer["ok"]), str(answer["found"])
