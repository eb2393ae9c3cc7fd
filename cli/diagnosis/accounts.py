"""Check whether the vendors' libraries find credentials for each cloud; values are never shown."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from cli.diagnosis.finding import Diagnosis

_PART = "accounts"
_WITHIN_S = 20.0  # a chain asks the metadata service of a machine in the cloud, which is not here
_QUESTION = (
    "import sys; from adapters.deployment.session import missing; print(missing(sys.argv[1:]).get(sys.argv[1], ''))"
)


def look() -> Iterator[Diagnosis]:
    """Yield one finding for each cloud; local clouds need no account."""
    from adapters import contract

    for name in contract.clouds():
        lacking = _lacking(name)
        if lacking:
            what, _, remedy = lacking.removeprefix(f"{name}: ").partition(": ")
            yield Diagnosis(_PART, name, "note", what, remedy)
        else:
            yield Diagnosis(_PART, name, "ok", "credentials are found")


def _lacking(name: str) -> str:
    """Return what `tripoint deploy` lacks for a cloud, "" for nothing; checked in a process with a time limit."""
    command = [sys.executable, "-c", _QUESTION, name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_WITHIN_S, check=False)
    except subprocess.TimeoutExpired:
        return f"{name}: the search for credentials took longer than {_WITHIN_S:.0f} s: see the vendor's own tool"
    except OSError as error:
        return f"{name}: the search for credentials could not be started: {error}"
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return f"{name}: {last}"
    return done.stdout.strip()
