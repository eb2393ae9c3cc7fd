"""Choose the files of a third-party package that ship, by the rules of `slimming.toml`."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

RULES = Path(__file__).with_name("slimming.toml")


@dataclass(frozen=True, slots=True)
class SlimmingRule:
    """Patterns over paths below site-packages; `*` crosses folders."""

    keep: tuple[str, ...]
    drop: tuple[str, ...]

    def ships(self, path: str) -> bool:
        return _any(path, self.keep) and not _any(path, self.drop)


def rule_of(package: str, version: str, runtime: str = "") -> SlimmingRule:
    """The rule of one package (for one runtime, where there is one); without any, what no import needs is lost."""
    rules, name = _rules(), canonical(package)
    own = rules.get(f"{name} for {runtime}", rules.get(name, {}))
    besides = [rule["drop"] for key, rule in rules.items() if _names(key, name, version)]
    drop = [*rules["every"]["drop"], *own.get("drop", ()), *(pattern for patterns in besides for pattern in patterns)]
    return SlimmingRule(keep=tuple(own.get("keep", ("*",))), drop=tuple(drop))


def _names(key: str, package: str, version: str) -> bool:
    """Whether a section such as "numpy>=2" speaks of this version."""
    name, sign, lowest_major = key.partition(">=")
    return bool(sign) and name == package and int(version.split(".")[0]) >= int(lowest_major)


def canonical(package: str) -> str:
    """The name of a package as indexes compare it (packaging.python.org, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", package).lower()


@functools.cache
def _rules() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads(RULES.read_text(encoding="utf-8"))


def _any(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)
