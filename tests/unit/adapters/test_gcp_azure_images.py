"""The Dockerfiles carry exactly what the bundles list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapters import contract
from adapters.bundle.layout import REPOSITORY

CLOUDS = ("gcp", "azure")


def copies(cloud: str) -> dict[str, str]:
    """Source -> destination of every COPY, with the default model filled in."""
    text = (contract.load(cloud).folder / "Dockerfile").read_text(encoding="utf-8").replace("${MODEL}", "clothes")
    found = {}
    for line in re.findall(r"^COPY (.+)$", text, flags=re.MULTILINE):
        *sources, destination = line.split()
        for source in sources:
            name = "" if source.endswith("/") else Path(source).name
            found[source.rstrip("/")] = str(Path(destination) / name)
    return found


@pytest.mark.parametrize("cloud", CLOUDS)
def test_an_image_carries_what_the_bundle_lists_and_nothing_more(cloud: str) -> None:
    listing = contract.load(cloud).data["bundle"]
    expected = {name: name for name in listing["files"]} | {source: name for name, source in listing["root"].items()}
    expected |= {"model/clothes": "model/clothes", "requirements": "/tmp/locks"}
    assert copies(cloud) == expected


@pytest.mark.parametrize("cloud", CLOUDS)
def test_everything_an_image_copies_exists(cloud: str) -> None:
    for source in copies(cloud):
        assert (REPOSITORY / source).exists(), source


@pytest.mark.parametrize("cloud", CLOUDS)
def test_bundle_image_finds_the_dockerfile(cloud: str) -> None:
    named = contract.load(cloud).data["bundle"]["images"]["litert"]
    assert (REPOSITORY / named).is_file()
