"""A model, loaded: an encoded image or a feature vector -> labels with scores."""

from __future__ import annotations

import importlib
import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from core import runtime
from core.errors import NoScores, WrongInput
from core.manifest import FileCheck
from core.pool import Pool
from core.wire import Prediction

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from core.manifest import Manifest, Variant
    from core.runtime import Interpreter, Tensor, TensorSpec

    class Front(Protocol):
        """Reads what a model is asked about: encoded image bytes, or the `features` of a JSON body."""

        def __call__(
            self, given: Any, /, *, manifest: Manifest, variant: Variant, spec: TensorSpec, max_pixels: int
        ) -> tuple[Tensor, float]:
            """The bytes of the input tensor, and the `perf_counter` second at which all had been decoded."""


class ClassificationResult(NamedTuple):
    """Labels with their scores, best first, and where the time went."""

    ranked: tuple[Prediction, ...]
    decode_ms: float
    preprocess_ms: float
    inference_ms: float


class Classifier:
    """One variant of a model behind a pool of interpreters; safe for any number of threads."""

    def __init__(
        self, manifest: Manifest, variant: Variant, *, runtime_name: str, pool: Pool[Interpreter], front: Front
    ) -> None:
        self.manifest = manifest
        self.variant = variant
        self.runtime = runtime_name
        self._pool = pool
        self._front = front
        self.spec: TensorSpec = pool.use(lambda interpreter: interpreter.input)

    @property
    def interpreters(self) -> int:
        """How many invocations can run at once."""
        return self._pool.size

    def check_input_kind(self, *, features: bool) -> None:
        """Raise WrongInput for features where the model takes images, and the other way round."""
        takes = self.manifest.features
        if features and not takes:
            raise WrongInput(
                f"model {self.manifest.name} takes images, not features: send the bytes of an image, "
                "or JSON with `url` or `image`"
            )
        if takes and not features:
            raise WrongInput(
                f"model {self.manifest.name} takes {len(takes.names)} features, not an image: send JSON "
                '{"features": [...]} or {"features": {"name": ...}} as application/json; /model lists their names'
            )

    def classify(self, given: Any, *, max_pixels: int, top_k: int | None = None) -> ClassificationResult:
        """Classify one image or feature vector; the result has the best `top_k` labels, or all.

        Raises UnsupportedImage, ImageTooLarge, BrokenImage, BadField.

        An interpreter is held from decoding on: work and memory are bounded by the pool, and a request
        that waits does so before it costs anything.
        """
        return self._pool.use(lambda interpreter: self._work(interpreter, given, max_pixels, top_k))

    def _work(self, interpreter: Interpreter, given: Any, max_pixels: int, top_k: int | None) -> ClassificationResult:
        started_s = time.perf_counter()
        tensor, decoded_s = self._front(
            given, manifest=self.manifest, variant=self.variant, spec=self.spec, max_pixels=max_pixels
        )
        prepared_s = time.perf_counter()
        scores = interpreter.run(tensor)
        ended_s = time.perf_counter()
        if not math.isfinite(sum(scores)):
            raise NoScores(self.manifest.name)
        return ClassificationResult(
            ranked=rank(self.manifest.labels, for_each_label(scores, self.manifest), top_k),
            decode_ms=_ms(decoded_s - started_s),
            preprocess_ms=_ms(prepared_s - decoded_s),
            inference_ms=_ms(ended_s - prepared_s),
        )


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)


def for_each_label(scores: list[float], manifest: Manifest) -> list[float]:
    """Return one score per label.

    A model with two labels may give a single score: that of the second label. The first label then gets 1 - score
    (0 for logits).
    """
    if len(scores) == 1 and len(manifest.labels) == 2:
        return [0.0 if manifest.output == "logits" else 1.0 - scores[0], scores[0]]
    return scores


def rank(labels: Sequence[str], scores: Sequence[float], top_k: int | None = None) -> tuple[Prediction, ...]:
    """The best `top_k` labels, or all; equal scores in the labels' order; scores to six significant digits."""
    best = sorted(range(len(labels)), key=scores.__getitem__, reverse=True)[:top_k]  # equals keep their order
    return tuple([Prediction(labels[at], float(f"{scores[at]:.6g}")) for at in best])


class Prepared(NamedTuple):
    """A model whose runtime and front are imported and whose file is being checked."""

    manifest: Manifest
    runtime: str
    check: FileCheck
    front: Front


def prepare(manifest: Manifest, *, wanted: str | None) -> Prepared:
    """Choose the best variant for the runtimes at hand (or `wanted`) and import its runtime. Raises ModelError."""
    available = runtime.usable(runtime.named_by(manifest))
    check = FileCheck(runtime.choose(manifest, wanted=wanted, available=available)[0])
    variant, name = runtime.pick(manifest, wanted=wanted)
    module = importlib.import_module("core.features" if manifest.features else "core.preprocess")
    return Prepared(
        manifest, name, check if check.variant is variant else FileCheck(variant), cast("Front", module.read)
    )


def load(prepared: Prepared, *, interpreters: int) -> Classifier:
    """Open the model `interpreters` times, once its file has proved to be the right one. Raises ModelError."""
    prepared.check.finish()
    manifest, variant = prepared.manifest, prepared.check.variant
    module = runtime.module(prepared.runtime)
    opened = [module.open_interpreter(variant.file) for _ in range(interpreters)]
    runtime.check_shapes(variant.file, opened[0], manifest, variant)
    return Classifier(manifest, variant, runtime_name=prepared.runtime, pool=Pool(opened), front=prepared.front)
