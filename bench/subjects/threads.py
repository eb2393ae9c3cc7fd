"""One instance under 1, 2, 4 and 8 threads: our pool against one interpreter behind a lock. Prints JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bench.subjects.loop import folder
from core import classifier, image, manifest, preprocess, processors, runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    Handle = Callable[[bytes], object]

LEVELS = (1, 2, 4, 8)


def behind_a_lock(model: Path) -> Handle:
    """One interpreter; only its use is locked, decoding is not."""
    loaded = manifest.load(model)
    variant, name = runtime.pick(loaded, wanted=None)
    interpreter, lock, size = runtime.module(name).open_interpreter(variant.file), threading.Lock(), loaded.input
    draft = (round(size.draft * size.width), round(size.draft * size.height)) if size.draft else None

    def handle(data: bytes) -> object:
        rgb = image.decode(data, max_pixels=25_000_000, orient=size.orient, draft=draft)
        tensor = preprocess.to_tensor(preprocess.resize(rgb, size), variant=variant, spec=interpreter.input)
        with lock:
            scores = interpreter.run(tensor)
        return classifier.rank(loaded.labels, scores)

    return handle


def pooled(model: Path) -> Handle:
    """Our classifier, with an interpreter for each processor."""
    loaded = manifest.load(model)
    ours = classifier.load(classifier.prepare(loaded, wanted=None), interpreters=processors.count())
    return lambda data: ours.classify(data, max_pixels=25_000_000)


def drive(handle: Handle, bodies: list[bytes], *, level: int, requests: int) -> dict[str, float]:
    """Closed loop: `level` threads, each with its share of the requests."""
    took_s: list[float] = []

    def work(first: int) -> None:
        for number in range(first, requests, level):
            started_s = time.perf_counter()
            handle(bodies[number % len(bodies)])
            took_s.append(time.perf_counter() - started_s)

    threads = [threading.Thread(target=work, args=(first,)) for first in range(level)]
    started_s = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended_s = time.perf_counter()
    mean_s = sum(took_s) / len(took_s)
    return {
        "per_s": requests / (ended_s - started_s),
        "mean_ms": mean_s * 1000,
        "worst_over_mean": max(took_s) / mean_s,
    }


def main() -> None:
    """Arguments: the folder of images, the model's folder, rounds, requests per round."""
    model, rounds, requests = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    bodies = [path.read_bytes() for path in sorted(Path(folder()).glob("*.jpg"))]
    handles = {"lock": behind_a_lock(model), "pool": pooled(model)}
    found = []
    for handle in handles.values():
        drive(handle, bodies, level=2, requests=20)
    for number in range(rounds):
        for level in LEVELS:
            for name in sorted(handles, reverse=bool(number % 2)):
                measured = drive(handles[name], bodies, level=level, requests=requests)
                found.append({"round": number, "level": level, "subject": name, **measured})
    print(json.dumps(found), flush=True)
