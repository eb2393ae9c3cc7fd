"""The third-party packages of a bundle, taken from this environment, slimmed and byte-compiled once."""

from __future__ import annotations

import hashlib
import importlib.metadata
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from adapters.bundle import bytecode, cache, slimming
from adapters.bundle.errors import BundleError


def installed(packages: Sequence[str]) -> Path:
    """A folder with the slimmed packages of this environment, for this interpreter; made once per contents."""
    found = [_distribution(name) for name in packages]
    return cache.folder_for("packages", _key(found), lambda folder: _fill(folder, found))


def _distribution(name: str) -> importlib.metadata.Distribution:
    try:
        found = importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        raise BundleError(f"package {name!r} is not installed here: run `make setup`") from None
    if found.files is None:
        raise BundleError(f"package {name!r} has no list of its files (RECORD): install it with pip")
    return found


def _key(distributions: Sequence[importlib.metadata.Distribution]) -> str:
    """A key over what decides the contents: interpreter, rules, and every file's own sha256 (RECORD)."""
    digest = hashlib.sha256(f"1 {sys.implementation.cache_tag}".encode())
    digest.update(slimming.RULES.read_bytes())
    for distribution in distributions:
        digest.update((distribution.read_text("RECORD") or "").encode())
    return digest.hexdigest()[:32]


def _fill(folder: Path, distributions: Sequence[importlib.metadata.Distribution]) -> None:
    for distribution in distributions:
        rule = slimming.rule_of(distribution.metadata["Name"], distribution.version)
        for file in distribution.files or ():
            if rule.ships(file.as_posix()):
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    bytecode.write(folder)
