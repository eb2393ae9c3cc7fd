"""The measured program: one variant of a model on one runtime, in a fresh process, with the core alone.

Arguments: the model's folder, the variant, the runtime, a photograph. It answers that photograph and prints
"ready" (its start ends there); then it answers each file whose name it reads; at the end it prints its peak memory.
A model that cannot be opened here gives one line "unfit" with the reason. Nothing is imported that a function
would not import: the time until "ready" is measured.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core import classifier, manifest
from core.errors import ModelError, TripointError

if TYPE_CHECKING:
    from core.classifier import Classifier

_MAX_PIXELS = 100_000_000


def main() -> None:
    """Serve standard input until it ends."""
    folder, variant, wanted, first = sys.argv[1:5]
    try:
        ours = _open(Path(folder), variant, wanted)
    except ModelError as error:
        print("unfit", " ".join(str(error).split()), flush=True)
        return
    print("ready", answer(ours, first), flush=True)
    for line in sys.stdin:
        print(answer(ours, line.rstrip("\n")), flush=True)
    print(peak_kb(), flush=True)


def _open(folder: Path, name: str, wanted: str) -> Classifier:
    """One interpreter of the variant on the runtime, whatever the manifest recommends. Raises ModelError."""
    loaded = manifest.load(folder)
    variant = next(each for each in loaded.variants if each.name == name)
    alone = loaded._replace(variants=(variant._replace(runtimes=(wanted,)),))
    return classifier.load(classifier.prepare(alone, wanted=wanted), interpreters=1)


def answer(ours: Classifier, file: str) -> str:
    """One JSON line: each label's score and the milliseconds of each step, or the reason why there are none."""
    try:
        found = ours.classify(Path(file).read_bytes(), max_pixels=_MAX_PIXELS)
    except TripointError as error:
        return json.dumps({"error": str(error)})
    times_ms = [found.decode_ms, found.preprocess_ms, found.inference_ms]
    return json.dumps({"scores": {each.label: each.score for each in reversed(found.ranked)}, "times_ms": times_ms})


def peak_kb() -> int:
    """The most memory this process ever had; `getrusage` would count what its parent had before `exec`."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak
