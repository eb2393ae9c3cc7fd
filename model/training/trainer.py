"""The fine-tuning loop: gradient steps, a moving average of the weights, checkpoints, early stopping."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from model.training.augment import Augmentation, augment
from model.training.checkpoint import Checkpoint, Epoch
from model.training.export import scaled
from model.training.linear_probe import smooth, softmax
from model.training.network import build, get_weights, set_weights
from model.training.schedule import rate_at

if TYPE_CHECKING:
    from model.training.architecture import Weights
    from model.training.dataset import Photos


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome of a run, beside the data and the backbone."""

    size: int = 224
    epochs: int = 35
    batch: int = 32
    rate: float = 3e-4
    warmup_epochs: float = 1.0
    weight_decay: float = 0.02
    smoothing: float = 0.1
    average_decay: float = 0.998
    patience: int = 12
    seed: int = 1
    augmentation: Augmentation = field(default_factory=Augmentation)

    def document(self) -> dict[str, object]:
        """The recipe as plain data."""
        return asdict(self)


class Listener(Protocol):
    """Is told how training goes."""

    def step(self, done: int, total: int) -> None: ...
    def epoch(self, epoch: Epoch, *, best: bool) -> None: ...


class Trainer:
    """One run of fine-tuning. `train` goes on from the checkpoint it is given, epoch by epoch."""

    def __init__(self, start: Sequence[Weights], photos: Photos, validation: Photos, *, recipe: Recipe) -> None:
        classes = len(start[-1].bias)
        self._photos, self._validation, self._recipe = photos, validation, recipe
        self._targets = smooth(photos.classes, classes, smoothing=recipe.smoothing)
        self._network = build(classes, size=recipe.size)
        self._average = build(classes, size=recipe.size)
        for network in (self._network, self._average):
            set_weights(network, start)
        self._optimizer = keras.optimizers.AdamW(recipe.rate, weight_decay=recipe.weight_decay, global_clipnorm=1.0)
        self._optimizer.exclude_from_weight_decay(var_names=["bias"])
        self._optimizer.build(self._network.trainable_variables)
        self._step = tf.function(self._gradient_step)
        self._steps_per_epoch = len(photos) // recipe.batch

    def train(
        self, resumed: Checkpoint | None, *, listener: Listener, keep: Callable[[Checkpoint], None]
    ) -> Checkpoint:
        """Train to the end of the recipe, or until `patience` epochs brought nothing; `keep` gets each checkpoint."""
        checkpoint = resumed or Checkpoint(self._recipe.document(), ())
        if resumed:
            self._restore(resumed)
        for number in range(len(checkpoint.history), self._recipe.epochs):
            if self._stale(checkpoint.history):
                break
            checkpoint = self._epoch(number, checkpoint, listener)
            keep(checkpoint)
        return checkpoint

    def _epoch(self, number: int, before: Checkpoint, listener: Listener) -> Checkpoint:
        recipe, count = self._recipe, self._steps_per_epoch
        order = np.random.default_rng((recipe.seed, number)).permutation(len(self._photos))
        losses = []
        for index in range(count):
            step = number * count + index
            self._optimizer.learning_rate = rate_at(
                step, steps=recipe.epochs * count, warmup=round(recipe.warmup_epochs * count), peak=recipe.rate
            )
            chosen = order[index * recipe.batch : (index + 1) * recipe.batch]
            seed = tf.constant([recipe.seed, step], tf.int32)
            losses.append(float(self._step(self._photos.images[chosen], self._targets[chosen], seed)))
            listener.step(index + 1, count)
        loss, accuracy = self._validate()
        epoch = Epoch(number + 1, float(np.mean(losses)), loss, accuracy)
        # By loss: on a few hundred photographs accuracy moves in steps, and by chance.
        best = all(loss < earlier.loss for earlier in before.history)
        listener.epoch(epoch, best=best)
        average = self._average.get_weights()
        return replace(
            before,
            history=(*before.history, epoch),
            weights=self._network.get_weights(),
            average=average,
            best=average if best else before.best,
            optimizer=[np.asarray(variable) for variable in self._optimizer.variables],
        )

    def _gradient_step(self, images: Any, targets: Any, seed: Any) -> Any:
        seen, mixed = augment(images, targets, seed, size=self._recipe.size, how=self._recipe.augmentation)
        with tf.GradientTape() as tape:
            logits = self._network(seen, training=True)
            loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(mixed, logits))
        variables = self._network.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        keep = self._recipe.average_decay
        for average, variable in zip(self._average.variables, self._network.variables, strict=True):
            average.assign(average * keep + variable * (1 - keep))
        return loss

    def _validate(self) -> tuple[float, float]:
        logits = self._average.predict(scaled(self._validation.images), batch_size=self._recipe.batch, verbose=0)
        right = softmax(logits)[np.arange(len(logits)), self._validation.classes]
        return float(-np.log(right).mean()), float((logits.argmax(1) == self._validation.classes).mean())

    def _restore(self, checkpoint: Checkpoint) -> None:
        self._network.set_weights(checkpoint.weights)
        self._average.set_weights(checkpoint.average)
        for variable, value in zip(self._optimizer.variables, checkpoint.optimizer, strict=True):
            variable.assign(value)

    def _stale(self, history: Sequence[Epoch]) -> bool:
        if not history:
            return False
        best = min(history, key=lambda epoch: epoch.loss)
        return history[-1].number - best.number >= self._recipe.patience

    def best_weights(self, checkpoint: Checkpoint) -> list[Weights]:
        """The averaged weights of the best epoch, as layers."""
        self._average.set_weights(checkpoint.best)
        return get_weights(self._average)
