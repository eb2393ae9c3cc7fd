"""The three local clouds give byte-identical predictions for every photograph."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import requests

from adapters import contract
from adapters.emulator import clouds
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(300)]


def photographs() -> list[Path]:
    """The 341 validation photographs where the developers' data are, else the project's own."""
    data = os.environ.get("TRIPOINT_DATA")
    real = sorted(Path(data).glob("clothes/validation/*/*.jpg")) if data else []
    return real or sorted((ROOT / "model" / "samples").glob("*.jpg"))


def predicted(session: requests.Session, url: str, path: Path) -> bytes:
    """The predictions of one photograph as the bytes that were sent."""
    answer = session.post(url, data=path.read_bytes(), headers={"content-type": "image/jpeg"}, timeout=30)
    assert answer.status_code == 200, answer.text
    start = answer.content.index(b'"predictions":')
    return answer.content[start : answer.content.index(b"]", start) + 1]


def test_every_photograph_gets_the_same_bytes_from_every_cloud() -> None:
    found: dict[str, dict[str, bytes]] = {}
    with clouds.start(contract.clouds()) as running:
        for name, local in running.items():
            with requests.Session() as session:
                found[name] = {path.name: predicted(session, local.url, path) for path in photographs()}
    first, *others = found.values()
    assert len(first) == len(photographs()) > 0
    assert json.loads(b"{" + next(iter(first.values())) + b"}")["predictions"][0]["label"]
    for other in others:
        assert other == first
