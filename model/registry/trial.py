"""Try a model on photographs with each runtime, each in a process of its own.

python -m model.registry.trial FOLDER RUNTIME PHOTO...      prints one JSON document
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import runtime

_TIMEOUT_S = 300
_MAX_PIXELS = 100_000_000
_SHOWN = 5
_ROOT = Path(__file__).resolve().parent.parent.parent
# A sum of a thousand probabilities in steps of 1/256 is off by more than float arithmetic's.
_SUM_TOLERANCE = 0.05


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """What a model said of one photograph: the best labels, and the sum and range of all scores."""

    image: str
    best: tuple[tuple[str, float], ...]
    total: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One runtime's answers; or why there are none."""

    runtime: str
    answers: tuple[TrialAnswer, ...] = ()
    failure: str | None = None

    @property
    def looks_like_probabilities(self) -> bool:
        """Whether every answer lies in 0..1 and sums to one, or to less where two sigmoids share it."""
        return all(
            one.least >= 0.0 and one.most <= 1.0 + 1e-6 and abs(one.total - 1.0) <= _SUM_TOLERANCE
            for one in self.answers
        )


def candidates(file: Path) -> tuple[str, ...]:
    """The installed runtimes for a file, by its ending, in order of preference."""
    packages = ("onnxruntime",) if file.suffix.lower() == ".onnx" else ("ai_edge_litert", "tflite_runtime")
    return tuple(name for name in runtime.usable() if runtime.MODULES[name][1] in packages)


def try_on(folder: Path, name: str, images: Sequence[Path]) -> Trial:
    """Classify `images` with the model in `folder` in a fresh process."""
    command = [sys.executable, "-m", "model.registry.trial", str(folder.resolve()), name]
    environ = {key: value for key, value in os.environ.items() if not key.startswith("TRIPOINT_")}
    paths = [str(_ROOT), *filter(None, [environ.get("PYTHONPATH")])]
    environ |= {"TRIPOINT_LOG_LEVEL": "off", "PYTHONPATH": os.pathsep.join(paths)}
    try:
        done = subprocess.run(
            [*command, *(str(image.resolve()) for image in images)],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        return Trial(name, failure=f"it had not answered after {_TIMEOUT_S} s")
    return _trial(name, done)


def _trial(name: str, done: subprocess.CompletedProcess[str]) -> Trial:
    lines = done.stdout.splitlines()
    if done.returncode < 0:
        return Trial(name, failure=f"the model made it crash (signal {-done.returncode})")
    if done.returncode != 0 or not lines:
        return Trial(name, failure=(done.stderr.strip().splitlines() or ["it ended without a word"])[-1][:300])
    document = json.loads(lines[-1])
    if "failure" in document:
        return Trial(name, failure=document["failure"])
    return Trial(name, tuple(TrialAnswer(**{**each, "best": _pairs(each["best"])}) for each in document["answers"]))


def _pairs(best: list[list[Any]]) -> tuple[tuple[str, float], ...]:
    return tuple((str(label), float(score)) for label, score in best)


def _answers(folder: Path, name: str, images: Sequence[Path]) -> dict[str, Any]:
    """What the fresh process prints."""
    from core import classifier, log, manifest
    from core.errors import TripointError

    log.set_level("off")
    try:
        prepared = classifier.prepare(manifest.load(folder), wanted=name)
        if prepared.runtime != name:
            return {"failure": runtime.module(name).unfit() or "it does not fit here"}
        loaded = classifier.load(prepared, interpreters=1)
        return {"answers": [_answer(loaded, image) for image in images]}
    except TripointError as error:
        return {"failure": str(error)}


def _answer(loaded: Any, image: Path) -> dict[str, Any]:
    ranked = loaded.classify(image.read_bytes(), max_pixels=_MAX_PIXELS).ranked
    scores = [one.score for one in ranked]
    return {
        "image": str(image),
        "best": [[one.label, one.score] for one in ranked[:_SHOWN]],
        "total": math.fsum(scores),
        "least": min(scores),
        "most": max(scores),
    }


if __name__ == "__main__":
    print(json.dumps(_answers(Path(sys.argv[1]), sys.argv[2], [Path(each) for each in sys.argv[3:]])))
