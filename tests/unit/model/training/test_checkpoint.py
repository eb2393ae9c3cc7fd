"""What an interrupted run of training finds again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.training.checkpoint import Checkpoint, CheckpointMismatch, Epoch, load, save
from model.training.schedule import rate_at

RECIPE = {"size": 32, "zoom": (0.7, 1.0)}


def _checkpoint() -> Checkpoint:
    arrays = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7], np.float32)]
    return Checkpoint(
        RECIPE,
        (Epoch(1, 1.5, 0.5, 0.75), Epoch(2, 1.25, 0.25, 1.0)),
        weights=arrays,
        average=[np.negative(a) for a in arrays],
        best=[np.square(a) for a in arrays],
        optimizer=[np.array(3, np.float32)],
    )


def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    save(_checkpoint(), tmp_path / "c.npz")
    found = load(tmp_path / "c.npz", RECIPE)
    assert found is not None
    assert found.history == _checkpoint().history
    for group in ("weights", "average", "best", "optimizer"):
        kept, came = getattr(_checkpoint(), group), getattr(found, group)
        assert [a.tolist() for a in kept] == [a.tolist() for a in came], group
    assert [file.name for file in tmp_path.iterdir()] == ["c.npz"]


def test_there_is_none_before_the_first_epoch(tmp_path: Path) -> None:
    assert load(tmp_path / "c.npz", RECIPE) is None


def test_a_run_does_not_go_on_from_another_recipe(tmp_path: Path) -> None:
    save(_checkpoint(), tmp_path / "c.npz")
    with pytest.raises(CheckpointMismatch, match="another recipe: remove it, or name another --work folder"):
        load(tmp_path / "c.npz", RECIPE | {"size": 64})


def test_a_crash_while_saving_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    save(_checkpoint(), tmp_path / "c.npz")
    (tmp_path / "c.npz.partial").write_bytes(b"half of a file")
    found = load(tmp_path / "c.npz", RECIPE)
    assert found is not None
    assert len(found.history) == 2


def test_the_rate_rises_to_its_peak_then_falls_to_a_hundredth() -> None:
    rates = [rate_at(step, steps=101, warmup=10, peak=0.5) for step in range(102)]
    assert rates[:10] == pytest.approx([0.05 * n for n in range(1, 11)])
    assert rates[10] == 0.5
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[101] == pytest.approx(0.005)
