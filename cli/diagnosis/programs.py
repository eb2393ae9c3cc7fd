"""Check programs that some commands use; `tripoint compare` needs none of them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

from cli.diagnosis.finding import Diagnosis

_PART = "programs"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_BUILDERS = ("docker", "podman", "buildah")
_WITHIN_S = 20.0


def look() -> Iterator[Diagnosis]:
    yield _image_builder()
    yield _found("uv", ("uv",), "to lock requirements anew: pip install uv")
    yield _found(
        "browser", _BROWSERS, "for the tests of web pages: install chromium", os.environ.get("TRIPOINT_CHROMIUM")
    )


def _found(name: str, programs: tuple[str, ...], remedy: str, given: str | None = None) -> Diagnosis:
    paths = filter(None, map(shutil.which, ((given,) if given else programs)))
    path = next(paths, None)
    return Diagnosis(_PART, name, "ok", path) if path else Diagnosis(_PART, name, "note", "not found", remedy)


def _image_builder() -> Diagnosis:
    """Return the first image builder that works; a client without its service does not."""
    name, there = "image builder", [each for each in _BUILDERS if shutil.which(each)]
    for each in there:
        if _answers(each):
            return Diagnosis(_PART, name, "ok", each)
    found = f"{', '.join(there)} does not answer" if there else "none of docker, podman, buildah"
    return Diagnosis(
        _PART, name, "note", found, "for `--format image` of `tripoint bundle` and `deploy`: start or install one"
    )


def _answers(program: str) -> bool:
    try:
        done = subprocess.run([program, "info"], capture_output=True, timeout=_WITHIN_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
