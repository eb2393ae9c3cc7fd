"""A target: a URL with its cloud, plan, region and memory size."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

UNKNOWN_SHARE = "unknown"  # what nobody said of a target
ENFORCED = "enforced"  # how the words of an enforced share begin
EMPTY = "-empty"  # how the name of a target's empty function ends


@dataclass(frozen=True, slots=True)
class Target:
    """One endpoint under test.

    `url` classifies when image bytes are POSTed to it. `control` is the URL of the local cloud's control
    plane, None for a real cloud. `cpu_share` says in words whether CPU shares are enforced. `gateway` is what
    stands in front, in the words of the plan's `gateways` in cloud.toml; None where nobody said. `empty`: a function
    that does nothing, which runs beside the model to know what the platform and its runtime take by themselves.
    """

    name: str
    cloud: str
    plan: str
    region: str
    memory_mb: int
    url: str
    concurrency: int = 1
    architecture: str = "x86_64"
    control: str | None = None
    cpu_share: str = UNKNOWN_SHARE
    gateway: str | None = None
    empty: bool = False

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ValueError(f"target {self.name!r}: url {self.url!r} must start with http:// or https://")
        if self.memory_mb <= 0 or self.concurrency <= 0:
            raise ValueError(f"target {self.name!r}: memory_mb and concurrency must be positive")

    def document(self) -> dict[str, Any]:
        """As JSON and TOML hold it, and as the run's header keeps it."""
        return {name: value for name, value in asdict(self).items() if value not in (None, False)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Target:
        """Read one target. Raises ValueError naming what is missing, unknown or wrong."""
        known = {each.name for each in fields(cls)}
        needed = ("name", "cloud", "plan", "region", "memory_mb", "url")
        missing = [name for name in needed if name not in document]
        unknown = sorted(set(document) - known)
        if missing or unknown:
            what = f"lacks {', '.join(missing)}" if missing else f"has unknown {', '.join(unknown)}"
            raise ValueError(f"target {document.get('name', document)!r} {what}: expected {', '.join(sorted(known))}")
        return cls(**document)


class TargetsError(Exception):
    """The file of targets cannot be read; the message says what was expected."""


def read_targets(path: Path) -> list[Target]:
    """Read `path`: TOML with `[[targets]]`, or JSON, a list of targets or `{"targets": […]}`."""
    try:
        text = path.read_text(encoding="utf-8")
        data: Any = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
        found = [Target.from_document(each) for each in (data["targets"] if isinstance(data, dict) else data)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        expected = "expected a JSON list of targets, or TOML with [[targets]] tables"
        raise TargetsError(f"targets {str(path)!r} cannot be read: {error}; {expected}") from error
    names = [target.name for target in found]
    if not found or len(set(names)) < len(names):
        raise TargetsError(f"targets {str(path)!r}: expected at least one target, each with a name of its own")
    return found


def write_targets(path: Path, targets: Iterable[Target]) -> None:
    """Write `targets` as JSON that `read_targets` reads."""
    documents = [target.document() for target in targets]
    path.write_text(json.dumps({"targets": documents}, indent=2) + "\n", encoding="utf-8")
