"""Compile byte code beside its source: a cold start without it takes twice as long.

The files are never checked against their source (unchecked-hash): copying and unpacking change the times of
files, and byte code that is judged by time would then be thrown away at every cold start.
"""

from __future__ import annotations

import compileall
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from adapters.bundle.errors import BundleError

_ASK_VERSION = "import sys; print('%d.%d.%d' % sys.version_info[:3])"


def write(folder: Path) -> None:
    """Write .pyc files of this interpreter for every module below `folder`."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    if not compileall.compile_dir(folder, quiet=1, maxlevels=40, invalidation_mode=mode, stripdir=str(folder)):
        raise BundleError(f"{folder}: not every file compiles; run `make check`")


def write_for(python: str, folder: Path) -> str | None:
    """Write .pyc files of Python `python` ("3.13"); return the full version, or None when there is no such Python.

    A process of its own with a fixed hash seed gives the same bytes each time.
    """
    found = interpreter(python)
    if found is None:
        return None
    program, version = found
    command = [program, "-m", "compileall", "-q", "-r", "40", "--invalidation-mode", "unchecked-hash"]
    done = subprocess.run(
        [*command, "-s", str(folder), str(folder)],
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BundleError(f"not every file compiles with Python {version}: {done.stdout.strip()[-500:]}")
    return version


@cache
def interpreter(python: str) -> tuple[str, str] | None:
    """The command and full version of the first interpreter of that version that runs."""
    for candidate in _candidates(python):
        asked = subprocess.run([candidate, "-c", _ASK_VERSION], capture_output=True, text=True, check=False)
        version = asked.stdout.strip()
        if asked.returncode == 0 and version.startswith(f"{python}."):
            return candidate, version
    return None


def _candidates(python: str) -> Iterator[str]:
    """This interpreter, those on the PATH, and those that pyenv and uv keep off it."""
    yield sys.executable
    for folder in os.get_exec_path():
        found = shutil.which(f"python{python}", path=folder)
        if found:
            yield found
    home = Path.home()
    kept = (
        Path(os.environ.get("PYENV_ROOT", home / ".pyenv")) / "versions",
        Path(os.environ.get("UV_PYTHON_INSTALL_DIR", home / ".local" / "share" / "uv" / "python")),
    )
    for root in kept:
        yield from (str(path) for path in sorted(root.glob(f"*{python}.*/bin/python{python}")))
