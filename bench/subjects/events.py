"""The events that `bench.material` has written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from bench.subjects.loop import folder

if TYPE_CHECKING:
    from typing import Any


def event(cloud: str, number: int) -> dict[str, Any]:
    """A recorded event of the cloud with image `number` in it."""
    with open(f"{folder()}/{cloud}-{number}.json", encoding="ascii") as file:  # noqa: PTH123 - pathlib is an import
        found: dict[str, Any] = json.load(file)
        return found
