"""Training from a folder to a model folder. The loop itself needs the extra `convert` and is skipped without it."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from cli.commands.model.train import command
from model.training.architecture import Weights, convolutions
from model.training.dataset import Photos
from model.training.network import ConvertExtraMissing, import_keras
from model.training.train import main, parse

if TYPE_CHECKING:
    from model.training.checkpoint import Checkpoint, Epoch

HAS_EXTRA = importlib.util.find_spec("tensorflow") is not None
with_extra = pytest.mark.skipif(not HAS_EXTRA, reason="the extra `convert` (TensorFlow) is not installed")
without_extra = pytest.mark.skipif(HAS_EXTRA, reason="the extra `convert` (TensorFlow) is installed")
# TensorFlow and its dependencies warn about each other when imported.
pytestmark = pytest.mark.filterwarnings("ignore")
SIDE = 32
Array = np.ndarray[tuple[int, ...], np.dtype[np.float32]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two classes that a child can tell apart: dark photographs and bright ones."""
    rng = np.random.default_rng(5)
    for split, count in (("train", 24), ("validation", 6)):
        for label, level in (("bright", 200), ("dark", 40)):
            folder = tmp_path / "data" / split / label
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(level - 30, level + 30, (40, 40, 3)).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{number:02}.png")
    return tmp_path / "data"


def _random_layers(classes: int) -> list[Weights]:
    """He-initialised weights of the whole network."""
    rng = np.random.default_rng(11)
    shapes = [layer.kernel for layer in convolutions()]
    layers = []
    for kernel in shapes:
        fan_in = int(np.prod(kernel[:2])) * (1 if kernel[3] == 1 else kernel[2])
        values = rng.normal(0, np.sqrt(2 / fan_in), kernel).astype(np.float32)
        layers.append(Weights(values, np.zeros(max(kernel[2:]) if kernel[3] == 1 else kernel[3], np.float32)))
    return [*layers, Weights(np.zeros((1280, classes), np.float32), np.zeros(classes, np.float32))]


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.steps: list[tuple[int, int]] = []
        self.epochs: list[Epoch] = []

    def step(self, done: int, total: int) -> None:
        self.steps.append((done, total))

    def epoch(self, epoch: Epoch, *, best: bool) -> None:
        self.epochs.append(epoch)


@without_extra
def test_without_the_extra_the_command_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [f"--{name}={tmp_path / name}" for name in ("data", "backbone", "out")]
    assert main(paths) == 2
    assert "pip install 'tripoint[convert]'" in capsys.readouterr().err
    with pytest.raises(ConvertExtraMissing):
        import_keras()


def test_the_command_needs_data_and_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse([])
    assert "--data, --out" in capsys.readouterr().err


@with_extra
def test_a_folder_without_photographs_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [f"--{name}={tmp_path / name}" for name in ("data", "backbone", "out")]
    assert main(paths) == 2
    assert "has 0 class folders, expected two or more" in capsys.readouterr().err


@with_extra
@pytest.mark.timeout(300)
def test_a_run_that_was_interrupted_ends_where_an_uninterrupted_one_does() -> None:
    from model.training.trainer import Recipe, Trainer

    rng = np.random.default_rng(3)
    classes = np.arange(32) % 2
    levels = np.where(classes, 200, 40)[:, None, None, None]
    photos = Photos((levels + rng.integers(-30, 30, (32, SIDE, SIDE, 3))).astype(np.uint8), classes)
    recipe = Recipe(size=SIDE, epochs=2, batch=8, rate=1e-3)

    def run(resumed: Checkpoint | None, stop_after: int) -> list[Checkpoint]:
        kept: list[Checkpoint] = []

        class Stop(Exception):
            pass

        def keep(checkpoint: Checkpoint) -> None:
            kept.append(checkpoint)
            if len(kept) == stop_after:
                raise Stop

        listening = Listening()
        trainer = Trainer(_random_layers(2), photos, photos, recipe=recipe)
        with pytest.raises(Stop):
            trainer.train(resumed, listener=listening, keep=keep)
        assert listening.steps[:4] == [(1, 4), (2, 4), (3, 4), (4, 4)]
        assert tuple(listening.epochs) == kept[-1].history[-len(listening.epochs) :]
        return kept

    whole = run(None, 2)[-1]
    resumed = run(run(None, 1)[-1], 1)[-1]
    assert [epoch.number for epoch in resumed.history] == [1, 2]
    for one, other in zip(whole.weights + whole.average, resumed.weights + resumed.average, strict=True):
        assert one == pytest.approx(other, abs=1e-4)
    assert all(np.isfinite(array).all() for array in whole.weights)
    assert any(not np.array_equal(a, b) for a, b in zip(whole.weights, whole.average, strict=True))


@with_extra
def test_training_stops_when_patience_is_at_its_end() -> None:
    from model.training.checkpoint import Checkpoint, Epoch
    from model.training.trainer import Recipe, Trainer

    photos = Photos(np.zeros((8, SIDE, SIDE, 3), np.uint8), np.arange(8) % 2)
    recipe = Recipe(size=SIDE, epochs=9, batch=8, patience=3)
    trainer = Trainer(_random_layers(2), photos, photos, recipe=recipe)
    stale = Checkpoint(recipe.document(), tuple(Epoch(n, 1.0, 0.5 + n, 0.5) for n in range(1, 5)))
    weights = trainer.train(None, listener=Listening(), keep=lambda _: None)
    listening = Listening()
    trainer.train(replace(weights, history=stale.history), listener=listening, keep=lambda _: None)
    assert listening.epochs == []


@with_extra
def test_the_same_seed_changes_a_batch_in_the_same_way() -> None:
    import tensorflow as tf

    from model.training.augment import Augmentation, augment

    images = np.random.default_rng(1).integers(0, 256, (6, 40, 40, 3)).astype(np.uint8)
    targets = np.eye(6, dtype=np.float32)

    def changed(seed: int) -> tuple[Array, Array]:
        seen, mixed = augment(images, targets, tf.constant([1, seed]), size=SIDE, how=Augmentation())
        return np.asarray(seen), np.asarray(mixed)

    (seen, mixed), (again, _), (other, _) = changed(1), changed(1), changed(2)
    assert seen.shape == (6, SIDE, SIDE, 3)
    assert -1 <= np.min(seen) < np.max(seen) <= 1
    assert np.array_equal(seen, again)
    assert not np.array_equal(seen, other)
    assert mixed.sum(axis=1) == pytest.approx(np.ones(6))
    assert mixed.argmax(axis=1).tolist() == list(range(6))


@with_extra
@pytest.mark.timeout(600)
def test_a_model_comes_out_of_a_folder_of_photographs(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from model.training.export import to_int8

    backbone = tmp_path / "backbone.tflite"
    grey = np.random.default_rng(2).integers(0, 256, (4, SIDE, SIDE, 3)).astype(np.uint8)
    backbone.write_bytes(to_int8(_random_layers(3), 3, size=SIDE, photos=grey))
    out = tmp_path / "shades"
    command = [f"--data={data}", f"--backbone={backbone}", f"--out={out}", f"--size={SIDE}", "--epochs=2"]
    command.append(f"--work={tmp_path / 'work'}")
    assert main(command) == 0
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["labels"] == ["bright", "dark"]
    assert manifest["validation"]["images"] == 12
    assert manifest["validation"]["accuracy"] >= 0.9
    assert [variant["file"] for variant in manifest["variants"]] == ["shades-int8.tflite", "shades-float16.tflite"]
    assert str(tmp_path) not in json.dumps(manifest)
    told = capsys.readouterr()
    assert "epoch   2" in told.err
    assert "TensorSpec" not in told.out
    evaluation = (out / "evaluation.json").read_text()
    assert main(command) == 0
    assert "epoch   " not in capsys.readouterr().err, "nothing was left to train"
    assert (out / "evaluation.json").read_text() == evaluation


@without_extra
def test_the_command_line_names_the_extra_too(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--data", str(data), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "pip install 'tripoint[convert]'" in result.output


def test_the_command_line_refuses_a_size_that_the_network_has_not(data: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(command, ["--data", str(data), "--out", str(tmp_path / "out"), "--size", "100"])
    assert result.exit_code == 2
    assert "expected a multiple of 32" in result.output


@with_extra
@pytest.mark.timeout(600)
def test_class_folders_alone_are_enough_and_the_built_in_model_is_the_start(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "shades"
    words = ["--data", str(data / "train"), "--out", str(out), "--size", "96", "--epochs", "1", "--json"]
    result = CliRunner().invoke(command, [*words, "--work", str(tmp_path / "work")])
    assert result.exit_code == 0, result.output
    manifest = json.loads(result.stdout)
    assert manifest["labels"] == ["bright", "dark"]
    assert manifest["validation"]["images"] == 4, "a tenth of 24, twice"
    assert manifest["training"]["backbone"].startswith("the layers of Tripoint's model clothes")
    assert manifest["title"] == "shades"
