"""Which files of a third-party package ship: the rules of `slimming.toml`."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RULES = Path(__file__).with_name("slimming.toml")


@dataclass(frozen=True, slots=True)
class Rule:
    """Patterns over paths below site-packages; `*` crosses folders."""

    keep: tuple[str, ...]
    drop: tuple[str, ...]

    def ships(self, path: str) -> bool:
        return _any(path, self.keep) and not _any(path, self.drop)


def rule_of(package: str) -> Rule:
    """The rule of one package; one without rules of its own loses only what no import needs."""
    rules = _rules()
    own = rules.get(canonical(package), {})
    every = rules["every"]
    return Rule(keep=tuple(own.get("keep", ("*",))), drop=(*every["drop"], *own.get("drop", ())))


def canonical(package: str) -> str:
    """The name of a package as indexes compare it (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", package).lower()


@functools.cache
def _rules() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


def _any(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
