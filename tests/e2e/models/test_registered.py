"""Models of one's own from outside: registered, then classified with by every local cloud in one comparison."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from adapters import contract
from tests.kits import registry as kit
from tests.paths import ROOT

pytestmark = [pytest.mark.timeout(600)]


def tripoint(*words: str, models: Path) -> str:
    """Run the command with this folder of models; return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "cli", *words],
        cwd=ROOT,
        env={**os.environ, "TRIPOINT_MODELS": str(models)},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def labels_by_cloud(run: Path) -> dict[str, set[tuple[str, str]]]:
    """Name and version of the model, and its label, of every answer of a run."""
    found: dict[str, set[tuple[str, str]]] = {}
    with closing(sqlite3.connect(f"file:{run / 'samples.sqlite'}?mode=ro", uri=True)) as store:
        for target, model, label in store.execute("SELECT target, model, label FROM samples WHERE label IS NOT NULL"):
            found.setdefault(target, set()).add((model, label))
    return found


def compared(name: str, photos: Path, *, models: Path, run: Path) -> dict[str, set[tuple[str, str]]]:
    """One small comparison of all local clouds with a registered model."""
    words = ("--model", name, "--images", str(photos), "--scenario", "smoke", "--rate", "4", "--quiet")
    tripoint("compare", *words, "--out", str(run), models=models)
    return labels_by_cloud(run)


def test_a_registered_model_answers_on_every_local_cloud(tmp_path: Path) -> None:
    models, photos = tmp_path / "models", tmp_path / "photos"
    photos.mkdir()
    for colour in kit.COLOURS:
        kit.write_picture(photos, colour)
    (tmp_path / "colours.tflite").write_bytes(kit.model(stored=kit.UINT8, scale=1 / 255, quantised_output=True))
    words = ("--labels", ",".join(kit.COLOURS), "--image", str(photos / "green.png"))
    assert "green 0.4" in tripoint("model", "add", str(tmp_path / "colours.tflite"), *words, models=models)
    found = compared("colours", photos, models=models, run=tmp_path / "run")
    assert set(found) == set(contract.clouds())
    assert all(answers == {("colours 1", colour) for colour in kit.COLOURS} for answers in found.values()), found


@pytest.mark.parametrize(
    ("file", "words", "known"),
    [
        ("mobilenet_v2_1.0_224_quant.tflite", [], {"parrot.jpg": "macaw", "grace_hopper.bmp": "military uniform"}),
        (
            "mobilenet_v1_0.25_224_1_default_1.tflite",
            ["--labels", "labels.txt", "--preset", "mobilenet"],
            {"burger.jpg": "cheeseburger"},
        ),
    ],
)
def test_a_public_model_gives_its_known_answers_on_every_local_cloud(
    file: str, words: list[str], known: dict[str, str], data_folder: Path, tmp_path: Path
) -> None:
    models, photos = tmp_path / "models", tmp_path / "photos"
    photos.mkdir()
    for photo in known:
        shutil.copy(data_folder / "images" / "photos" / photo, photos)
    folder = data_folder / "models"
    said = [str(folder / word) if word.endswith(".txt") else word for word in words]
    tried = [word for photo in known for word in ("--image", str(photos / photo))]
    report = tripoint("model", "add", str(folder / file), "--name", "public", *said, *tried, models=models)
    assert all(f"{photo}: {label}" in report for photo, label in known.items()), report
    found = compared("public", photos, models=models, run=tmp_path / "run")
    assert set(found) == set(contract.clouds())
    assert all({label for _, label in answers} == set(known.values()) for answers in found.values()), found
