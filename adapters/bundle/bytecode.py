"""Byte code beside its source: a cold start without it takes twice as long."""

from __future__ import annotations

import compileall
import py_compile
from typing import TYPE_CHECKING

from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path) -> None:
    """Write .pyc files for every module below `folder`.

    They are never checked against their source (unchecked-hash): copying and unpacking change the times of
    files, and a .pyc judged by time would then be thrown away at every cold start.
    """
    done = compileall.compile_dir(
        folder,
        quiet=1,
        maxlevels=40,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        stripdir=str(folder),
    )
    if not done:
        raise BundleError(f"{folder}: not every file compiles; run `make check`")
