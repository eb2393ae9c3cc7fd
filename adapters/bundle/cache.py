"""Folders made once per contents and then only read; safe when several processes want the same one."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_UNUSED_S = 30 * 24 * 3600
_IN_USE_S = 3600
_KEPT = 12


def root() -> Path:
    """Where folders are kept: TRIPOINT_CACHE, or `tripoint` below the user's cache folder."""
    chosen = os.environ.get("TRIPOINT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tripoint"


def folder_for(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of `key`, calling `make(folder)` first where it does not exist yet.

    `make` fills a folder of its own, which then takes the final name in one step: an interrupted or
    failed `make` leaves no half-filled folder under that name.
    """
    final = root() / kind / key
    if not final.is_dir():
        final.parent.mkdir(parents=True, exist_ok=True)
        _forget_unused(final.parent)
        work = Path(tempfile.mkdtemp(prefix=".making-", dir=final.parent))
        try:
            make(work)
            work.chmod(0o755)
            _publish(work, final)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    os.utime(final)
    return final


def _publish(work: Path, final: Path) -> None:
    try:
        work.rename(final)
    except OSError:
        if not final.is_dir():  # another process was first: its folder has the same contents
            raise


def _forget_unused(kind: Path) -> None:
    """Remove what was not used for a month, and all but the last few that were not used within the hour."""
    now, by_age = time.time(), []
    for folder in kind.iterdir():
        with suppress(FileNotFoundError):  # another process renamed or removed it in between
            by_age.append((now - folder.stat().st_mtime, folder))
    by_age.sort(reverse=True)
    for place, (unused_s, folder) in enumerate(by_age):
        crowded = len(by_age) - place > _KEPT and unused_s > _IN_USE_S
        if unused_s > _UNUSED_S or crowded:
            shutil.rmtree(folder, ignore_errors=True)


def place(tree: Path, folder: Path) -> None:
    """Show the files of `tree` in `folder` as hard links, or as copies where the file system has none."""
    for directory, _, names in os.walk(tree):
        target = folder / os.path.relpath(directory, tree)
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            _link(Path(directory, name), target / name)


def _link(source: Path, destination: Path) -> None:
    try:
        destination.hardlink_to(source)
    except FileExistsError:
        destination.unlink()
        _link(source, destination)
    except OSError:
        shutil.copy2(source, destination)
