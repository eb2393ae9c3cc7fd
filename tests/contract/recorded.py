"""Recorded platform events: `adapters/<cloud>/events/*.json`, with the image filled in."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters import contract


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded event and what the cloud must answer to it."""

    cloud: str
    path: Path
    expect: Mapping[str, Any]
    event: Mapping[str, Any]

    @property
    def name(self) -> str:
        return f"{self.cloud}/{self.path.stem}"

    @property
    def classifies(self) -> bool:
        """Whether the answer carries predictions."""
        return self.expect["status"] == 200 and "$image_" in json.dumps(self.event)

    def filled(self, *, image: bytes, url: str) -> dict[str, Any]:
        """The event with `$image_base64` and `$image_url` replaced."""
        text = json.dumps(self.event)
        text = text.replace("$image_base64", base64.b64encode(image).decode()).replace("$image_url", url)
        filled: dict[str, Any] = json.loads(text)
        return filled


def recorded_events() -> list[Recorded]:
    """Every recorded event of every cloud."""
    found = []
    for name in contract.clouds():
        for path in sorted((contract.load(name).folder / "events").glob("*.json")):
            document = json.loads(path.read_text(encoding="utf-8"))
            found.append(Recorded(name, path, document["expect"], document["event"]))
    return found
