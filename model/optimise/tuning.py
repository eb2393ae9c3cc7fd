"""Train a network for a few epochs to answer like its teacher, with some weights held at zero."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model.convert.keras_source import import_tensorflow
from model.training.schedule import rate_at

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from model.training.dataset import Photos

    Told = Callable[[str, int, int], None]

_LEAST = 1e-7


@dataclass(frozen=True, slots=True)
class Tuning:
    """How long and how fast; `teacher_share` of the target is the teacher's answer, the rest is the label."""

    epochs: int = 3
    rate: float = 1e-4
    batch: int = 32
    teacher_share: float = 0.5
    seed: int = 1


class Tuner:
    """Trains `student` on photographs that are shown to `teacher`, too: at its size, augmented alike.

    Both take float32 in -1..1 and give probabilities. `held` are kernels with masks: 0 stays 0.
    """

    def __init__(
        self, student: Any, teacher: Any, *, how: Tuning, held: Sequence[tuple[Any, NDArray[np.float32]]] = ()
    ) -> None:
        tensorflow, keras = import_tensorflow()
        self._tf, self._student, self._teacher, self._how = tensorflow, student, teacher, how
        self._held = [(kernel, tensorflow.constant(mask)) for kernel, mask in held]
        self._sizes = int(teacher.input_shape[1]), int(student.input_shape[1])
        self._optimizer = keras.optimizers.AdamW(how.rate, weight_decay=0.01, global_clipnorm=1.0)
        self._optimizer.build(student.trainable_variables)
        self._step = tensorflow.function(self._gradient_step)
        self._hold()

    def tune(self, photos: Photos, validation: Photos, *, phase: str, told: Told) -> list[tuple[float, float]]:
        """Train; the weights of the epoch with the lowest validation loss stay. Returns (loss, accuracy) of each.

        The first entry is before any training.
        """
        count = max(1, len(photos) // self._how.batch)
        history, best = [self._validate(validation)], self._student.get_weights()
        for epoch in range(self._how.epochs):
            order = np.random.default_rng((self._how.seed, epoch)).permutation(len(photos))
            for index in range(count):
                step = epoch * count + index
                chosen = order[index * self._how.batch : (index + 1) * self._how.batch]
                self._optimizer.learning_rate = rate_at(
                    step, steps=self._how.epochs * count, warmup=min(50, count), peak=self._how.rate
                )
                seed = self._tf.constant([self._how.seed, step], self._tf.int32)
                self._step(
                    photos.images[chosen], np.eye(self._classes, dtype=np.float32)[photos.classes[chosen]], seed
                )
                told(phase, step + 1, self._how.epochs * count)
            history.append(self._validate(validation))
            if history[-1][0] <= min(loss for loss, _ in history):
                best = self._student.get_weights()
        self._student.set_weights(best)
        self._hold()
        return history

    @property
    def _classes(self) -> int:
        return int(self._student.output_shape[-1])

    def _gradient_step(self, images: Any, labels: Any, seed: Any) -> None:
        from model.training.augment import Augmentation, augment

        tf, (teacher_size, student_size) = self._tf, self._sizes
        views, targets = augment(images, labels, seed, size=teacher_size, how=Augmentation())
        share = self._how.teacher_share
        targets = (1 - share) * targets + share * self._teacher(views, training=False)
        if student_size != teacher_size:
            views = tf.image.resize(views, (student_size, student_size), antialias=True)
        with tf.GradientTape() as tape:
            found = tf.clip_by_value(self._student(views, training=False), _LEAST, 1.0)
            loss = -tf.reduce_mean(tf.reduce_sum(targets * tf.math.log(found), axis=1))
        variables = self._student.trainable_variables
        self._optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        self._hold()

    def _hold(self) -> None:
        for kernel, mask in self._held:
            kernel.assign(kernel * mask)

    def _validate(self, validation: Photos) -> tuple[float, float]:
        from model.training.export import scaled

        size = self._sizes[1]
        parts = []
        for first in range(0, len(validation), self._how.batch):
            images = scaled(validation.images[first : first + self._how.batch])
            if images.shape[1] != size:
                images = np.asarray(self._tf.image.resize(images, (size, size), antialias=True))
            parts.append(np.asarray(self._student(images, training=False)))
        found = np.concatenate(parts)
        right = np.clip(found[np.arange(len(found)), validation.classes], _LEAST, 1.0)
        return float(-np.log(right).mean()), float((found.argmax(axis=1) == validation.classes).mean())
