"""A cloud is one new folder: nothing outside it is edited."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import adapters
from adapters import bundle, contract


@pytest.fixture
def nimbus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A made-up cloud in a folder elsewhere, made from the Google one with its name changed."""
    folder = tmp_path / "adapters" / "nimbus"
    shutil.copytree(contract.load("gcp").folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*folder.rglob("*.py"), folder / "cloud.toml"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("adapters.gcp", "adapters.nimbus").replace("adapters/gcp", "adapters/nimbus"))
    toml = folder / "cloud.toml"
    toml.write_text(toml.read_text().replace('name = "gcp"', 'name = "nimbus"').replace("Google Cloud", "Nimbus"))
    monkeypatch.setattr(adapters, "__path__", [*adapters.__path__, str(folder.parent)])
    yield folder
    for name in [name for name in sys.modules if name.startswith("adapters.nimbus")]:
        del sys.modules[name]


def test_a_new_folder_is_a_new_cloud(nimbus: Path) -> None:
    assert "nimbus" in contract.clouds()
    assert contract.load("nimbus").title.startswith("Nimbus")


def test_a_new_cloud_can_be_bundled_and_started(nimbus: Path, tmp_path: Path) -> None:
    folder = bundle.assemble(contract.load("nimbus"), folder=tmp_path / "bundle")
    assert (folder / "adapters" / "nimbus" / "translate.py").is_file()
    assert callable(contract.load("nimbus").instances().start)


def test_an_unknown_cloud_is_told_with_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"unknown cloud 'oracle': expected one of aws, azure, gcp"):
        contract.load("oracle")
