"""Write a zip that is the same, byte for byte, whenever its contents are."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_FILE, _EXECUTABLE = 0o100644, 0o100755


def write(folder: Path, archive: Path) -> Path:
    """Pack every file of `folder`, in name order, with one fixed time and plain permissions; return `archive`."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    work = archive.with_name(f".{archive.name}.partial")
    with zipfile.ZipFile(work, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in files(folder):
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.create_system = 3  # Unix: the permissions below are to be read
            entry.external_attr = (_EXECUTABLE if path.suffix == ".so" else _FILE) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, path.read_bytes())
    return work.replace(archive)


def files(folder: Path) -> list[Path]:
    """Every file below `folder`, in name order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(folder: Path) -> str:
    """One sha256 over names and contents: the same whatever compressed or unpacked the files."""
    total = hashlib.sha256()
    for path in files(folder):
        total.update(f"{path.relative_to(folder).as_posix()}\0{sha256(path)}\n".encode())
    return total.hexdigest()
