"""The linear classifier on frozen features."""

from __future__ import annotations

import numpy as np
import pytest

from model.training.linear_probe import fit_probe, smooth, softmax


def test_smoothed_targets_keep_their_sum() -> None:
    targets = smooth(np.array([0, 2]), 4, smoothing=0.1)
    assert targets.sum(axis=1) == pytest.approx([1, 1])
    assert targets[0] == pytest.approx([0.925, 0.025, 0.025, 0.025])
    assert targets.argmax(axis=1).tolist() == [0, 2]


def test_large_logits_do_not_overflow() -> None:
    assert softmax(np.array([[1000.0, 1000.0, 0.0]], np.float32))[0] == pytest.approx([0.5, 0.5, 0.0])


def test_classes_that_a_plane_parts_are_told_apart_on_new_data() -> None:
    rng = np.random.default_rng(7)
    centres = rng.normal(0, 3, (3, 8))
    classes = np.arange(300) % 3
    # One feature is a thousand times the others, another does not change: both must do no harm.
    features = (centres[classes] + rng.normal(0, 1, (300, 8))) * np.array([1000, 1, 1, 1, 1, 1, 1, 0])
    train, new = slice(0, 200), slice(200, 300)
    probe = fit_probe(features[train].astype(np.float32), smooth(classes[train], 3, smoothing=0.1))
    found = (features[new] @ probe.kernel + probe.bias).argmax(axis=1)
    assert (found == classes[new]).mean() > 0.95
