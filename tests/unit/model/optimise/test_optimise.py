"""What optimising a model gains and loses: counted exactly, and each step carried out for real."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cli.commands.model.optimise import command
from core import manifest as core_manifest
from model.convert.errors import ConvertError
from model.convert.source_metadata import Known
from model.evaluation.price import offer
from model.optimise.mcnemar import change
from model.optimise.pruning import mask
from model.optimise.steps import OptimisationPlan
from model.optimise.tuning import Tuning
from tests.paths import ROOT

HAS_EXTRA = importlib.util.find_spec("tensorflow") is not None
with_extra = pytest.mark.skipif(not HAS_EXTRA, reason="the extra `convert` (TensorFlow) is not installed")
AWS = offer("aws/on-demand", 1769, requests="10M/month", cold_share="1%")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples in class folders, the same to train and to validate."""
    folder = tmp_path_factory.mktemp("samples")
    for file in sorted((ROOT / "model" / "samples").glob("*.jpg")):
        for split in ("train", "validation"):
            place = folder / split / file.stem.rpartition("-")[0]
            place.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
    return folder


def test_gained_and_lost_are_counted_photograph_by_photograph() -> None:
    before = np.array([True, True, False, False, True])
    after = np.array([True, False, True, True, True])
    found = change(before, after)
    assert (found.gained, found.lost, found.n) == (2, 1, 5)
    assert found.p == 1.0
    assert found.words == "alike"


def test_a_change_is_told_only_where_chance_would_hardly_do_it() -> None:
    right, wrong = np.ones(20, bool), np.zeros(20, bool)
    lost = right.copy()
    lost[:6] = False
    assert change(right, lost).p == pytest.approx(2 / 2**6)  # six of six, two-sided: 2 * (1/2)^6
    assert change(right, lost).words == "worse"
    assert change(wrong, right).words == "better"
    lost[:1] = True
    assert change(right, lost).words == "alike"
    assert change(right, right).p == 1.0
    with pytest.raises(ValueError, match="expected the same photographs"):
        change(right, right[:3])


def test_pruning_takes_the_smallest_weights_and_no_more_than_asked() -> None:
    kernel = np.array([[0.1, -0.5], [0.3, -0.2]], np.float32)
    assert mask(kernel, 0.5).tolist() == [[0, 1], [1, 0]]
    assert mask(kernel, 0).min() == 1
    assert mask(np.zeros((4, 4), np.float32), 0.75).sum() == 4
    with pytest.raises(ValueError, match="expected a share from 0 to below 1"):
        mask(kernel, 1.0)


@pytest.mark.parametrize(
    ("steps", "mode", "words"),
    [
        (("qat",), "tf", "quantisation-aware training is not offered"),
        (("shrink",), "tf", "unknown step shrink: expected some of quantise, prune, distil"),
        (("distil",), "caffe", "this model's is caffe: use --steps quantise"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(steps: tuple[str, ...], mode: str, words: str) -> None:
    with pytest.raises(ConvertError, match=words):
        OptimisationPlan(
            Known(Path("net.keras"), "net", preprocessing=mode), Path(), Path("out"), AWS, Tuning(), steps=steps
        )


def test_the_command_quantises_and_says_what_that_cost(data: Path, tmp_path: Path) -> None:
    words = ["clothes", "--data", str(data), "--out", str(tmp_path / "small"), "--quiet"]
    result = CliRunner().invoke(command, [*words, "--json"])
    assert result.exit_code == 0, result.output
    lines = json.loads(result.stdout)
    assert [(line["step"], line["variant"]) for line in lines] == [
        ("original", "float32"),
        *(("quantised", kind) for kind in ("int8", "float16", "dynamic", "weight-only")),
    ]
    assert all(line["photographs"] == lines[0]["photographs"] >= 10 for line in lines)
    assert (lines[0]["gained"], lines[0]["lost"]) == (0, 0)
    for line in lines[1:]:
        assert line["size_bytes"] < 0.55 * lines[0]["size_bytes"]
        assert line["accuracy_change"] == pytest.approx((line["gained"] - line["lost"]) / line["photographs"])
    assert core_manifest.load(tmp_path / "small" / "quantised").variants[0].name == "int8"
    again = CliRunner().invoke(command, words)
    assert again.exit_code == 2
    assert "exists already" in again.output


@with_extra
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore")
def test_the_built_in_model_is_pruned_and_distilled(data: Path, tmp_path: Path) -> None:
    words = ["clothes", "--data", str(data), "--out", str(tmp_path / "small"), "--steps", "prune,distil"]
    more = ["--epochs", "1", "--student-size", "96", "--rate", "1e-5", "--sparsity", "0.4", "--quiet", "--json"]
    result = CliRunner().invoke(command, [*words, *more])
    assert result.exit_code == 0, result.output
    lines: dict[tuple[str, str], dict[str, Any]] = {
        (line["step"], line["variant"]): line for line in json.loads(result.stdout)
    }
    pruned, distilled = lines["pruned", "float16"], lines["distilled", "float16"]
    assert pruned["accuracy"] >= 0.7
    assert pruned["zipped_bytes"] < 0.85 * distilled["zipped_bytes"], "zeros take little room when deflated"
    assert core_manifest.load(tmp_path / "small" / "distilled").input.height == 96
    assert core_manifest.load(tmp_path / "small" / "pruned").input.height == 224


@with_extra
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")
def test_a_model_that_was_trained_here_is_read_back_exactly() -> None:
    from model.convert.tflite_source import TfliteOriginal
    from model.optimise.trainable import open_trainable
    from model.training.dataset import read_photo
    from model.training.export import scaled

    file = ROOT / "model" / "clothes" / "clothes-float16.tflite"
    photos = scaled(np.stack([read_photo(path, 224) for path in sorted((ROOT / "model" / "samples").glob("*.jpg"))]))
    back = np.asarray(open_trainable(file, size=224)(photos))
    assert np.abs(back - TfliteOriginal(file.read_bytes(), file.name, tool="").scores(photos)).max() < 1e-5


@with_extra
@pytest.mark.filterwarnings("ignore")
def test_what_cannot_be_trained_on_says_so(tmp_path: Path) -> None:
    from model.optimise.trainable import open_trainable

    (tmp_path / "net.pt2").write_bytes(b"")
    with pytest.raises(ConvertError, match="expected a Keras file, or a model's name"):
        open_trainable(tmp_path / "net.pt2", size=224)
    (tmp_path / "net.tflite").write_bytes(b"nothing of the kind")
    with pytest.raises(ConvertError, match="give the Keras file"):
        open_trainable(tmp_path / "net.tflite", size=224)
