"""A model, loaded: encoded image bytes -> labels with scores."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, NamedTuple

from core import image, preprocess, runtime
from core.manifest import FileCheck
from core.pool import Pool
from core.wire import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.manifest import Manifest, Variant
    from core.runtime import Interpreter, TensorSpec


class Result(NamedTuple):
    """All labels with their scores, best first, and where the time went."""

    ranked: tuple[Prediction, ...]
    decode_ms: float
    preprocess_ms: float
    inference_ms: float


class Classifier:
    """One variant of a model behind a pool of interpreters; safe for any number of threads."""

    def __init__(self, manifest: Manifest, variant: Variant, *, runtime_name: str, pool: Pool[Interpreter]) -> None:
        self.manifest = manifest
        self.variant = variant
        self.runtime = runtime_name
        self._pool = pool
        self.spec: TensorSpec = pool.use(lambda interpreter: interpreter.input)

    @property
    def interpreters(self) -> int:
        """How many invocations can run at once."""
        return self._pool.size

    def classify(self, data: bytes, *, max_pixels: int) -> Result:
        """Classify one encoded image. Raises UnsupportedImage, ImageTooLarge, BrokenImage.

        An interpreter is held from decoding on: work and memory are bounded by the pool, and a request
        that waits does so before it costs anything.
        """
        return self._pool.use(lambda interpreter: self._work(data, max_pixels, interpreter))

    def _work(self, data: bytes, max_pixels: int, interpreter: Interpreter) -> Result:
        size = self.manifest.input
        started_s = time.perf_counter()
        draft = (math.ceil(size.draft * size.width), math.ceil(size.draft * size.height)) if size.draft else None
        rgb = image.decode(data, max_pixels=max_pixels, orient=size.orient, draft=draft)
        decoded_s = time.perf_counter()
        tensor = preprocess.to_tensor(preprocess.resize(rgb, size), variant=self.variant, spec=self.spec)
        prepared_s = time.perf_counter()
        scores = interpreter.run(tensor)
        ended_s = time.perf_counter()
        return Result(
            ranked=rank(self.manifest.labels, for_each_label(scores, self.manifest)),
            decode_ms=_ms(decoded_s - started_s),
            preprocess_ms=_ms(prepared_s - decoded_s),
            inference_ms=_ms(ended_s - prepared_s),
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def for_each_label(scores: list[float], manifest: Manifest) -> list[float]:
    """The scores, one for each label; a single score is that of the second of two labels, and gives the first its."""
    if len(scores) == 1 and len(manifest.labels) == 2:
        return [0.0 if manifest.output == "logits" else 1.0 - scores[0], scores[0]]
    return scores


def rank(labels: Sequence[str], scores: Sequence[float]) -> tuple[Prediction, ...]:
    """Best first, equal scores in the labels' order; scores to six significant digits."""
    found = [Prediction(label, float(f"{score:.6g}")) for label, score in zip(labels, scores, strict=True)]
    return tuple(sorted(found, key=lambda prediction: -prediction.score))  # sorted keeps the order of equals


class Prepared(NamedTuple):
    """A model whose runtime is imported and whose file is being checked."""

    manifest: Manifest
    runtime: str
    check: FileCheck


def prepare(manifest: Manifest, *, wanted: str | None) -> Prepared:
    """Choose the best variant for the runtimes at hand (or `wanted`) and import its runtime. Raises ModelError."""
    check = FileCheck(runtime.choose(manifest, wanted=wanted, available=runtime.usable())[0])
    variant, name = runtime.pick(manifest, wanted=wanted)
    return Prepared(manifest, name, check if check.variant is variant else FileCheck(variant))


def load(prepared: Prepared, *, interpreters: int) -> Classifier:
    """Open the model `interpreters` times, once its file has proved to be the right one. Raises ModelError."""
    prepared.check.finish()
    manifest, variant = prepared.manifest, prepared.check.variant
    module = runtime.module(prepared.runtime)
    opened = [module.open_interpreter(variant.file) for _ in range(interpreters)]
    runtime.check_shapes(variant.file, opened[0], manifest, variant)
    return Classifier(manifest, variant, runtime_name=prepared.runtime, pool=Pool(opened))
