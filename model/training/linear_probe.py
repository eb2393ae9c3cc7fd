"""A linear classifier on frozen features: the classifier that fine-tuning starts from."""

from __future__ import annotations

import numpy as np

from model.training.architecture import Weights

Features = np.ndarray[tuple[int, int], np.dtype[np.float32]]
Classes = np.ndarray[tuple[int], np.dtype[np.int64]]

STEPS = 150
RATE = 0.003


def smooth(classes: Classes, count: int, *, smoothing: float) -> Features:
    """Return one-hot targets [N, count] with `smoothing` spread evenly over all classes."""
    targets = np.full((len(classes), count), smoothing / count, np.float32)
    targets[np.arange(len(classes)), classes] += 1 - smoothing
    return targets


def softmax(logits: Features) -> Features:
    """Return the probabilities of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


def fit_probe(features: Features, targets: Features, *, decay: float = 0.1) -> Weights:
    """Return the softmax regression of `targets` [N, classes] on `features` [N, F], L2 weight `decay`.

    Fitted on standardised features with Adam and a falling rate; the answer is for the features as they are.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-2
    inputs = np.concatenate([(features - mean) / spread, np.ones((len(features), 1), np.float32)], axis=1)
    weights = np.zeros((inputs.shape[1], targets.shape[1]), np.float32)
    shrink = np.full((inputs.shape[1], 1), decay, np.float32)
    shrink[-1] = 0  # the bias is free
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        gradient = inputs.T @ (softmax(inputs @ weights) - targets) / len(inputs) + shrink * weights
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient * gradient - second)
        move = (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        weights -= (RATE * (1 - (step - 1) / STEPS)) * move
    kernel = weights[:-1] / spread[:, None]
    return Weights(kernel.astype(np.float32), (weights[-1] - mean @ kernel).astype(np.float32))
