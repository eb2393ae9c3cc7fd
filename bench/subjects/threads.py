"""One instance under 1, 2, 4 and 8 threads: our pool against one interpreter behind a lock. Prints JSON."""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from bench.subjects.loop import folder
from core import classifier, cpu_count, image, manifest, preprocess, runtime
from core.pool import Pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from core.runtime import Interpreter

    Handle = Callable[[bytes], object]

R = TypeVar("R")
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


class TimedPool(Pool["Interpreter"]):
    """Our pool, with a stop-watch: how long each request waited for an interpreter and how long it held it."""

    def __init__(self, items: Iterable[Interpreter]) -> None:
        super().__init__(items)
        self.waited_s: list[float] = []
        self.held_s: list[float] = []

    def use(self, work: Callable[[Interpreter], R]) -> R:
        asked_s = time.perf_counter()

        def timed(item: Interpreter) -> R:
            got_s = time.perf_counter()
            try:
                return work(item)
            finally:
                self.waited_s.append(got_s - asked_s)
                self.held_s.append(time.perf_counter() - got_s)

        return super().use(timed)

    def worst_wait_over_share(self, level: int) -> float:
        """The longest wait over a fair share: as many holdings as there are threads for each interpreter.

        Starts the stop-watch anew.
        """
        share_s = level / self.size * sum(self.held_s) / len(self.held_s)
        worst_s = max(self.waited_s)
        self.waited_s.clear()
        self.held_s.clear()
        return worst_s / share_s


def pooled(model: Path) -> tuple[Handle, TimedPool]:
    """Our classifier, with an interpreter for each processor."""
    loaded = manifest.load(model)
    ours = classifier.load(classifier.prepare(loaded, wanted=None), interpreters=cpu_count.count())
    ours._pool = pool = TimedPool(ours._pool._free)
    return lambda data: ours.classify(data, max_pixels=25_000_000), pool


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
    }


def main() -> None:
    """Arguments: the folder of images, the model's folder, rounds, requests per round."""
    model, rounds, requests = Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    bodies = [path.read_bytes() for path in sorted(Path(folder()).glob("*.jpg"))]
    ours, pool = pooled(model)
    handles = {"lock": behind_a_lock(model), "pool": ours}
    found = []
    for handle in handles.values():
        drive(handle, bodies, level=2, requests=20)
    pool.worst_wait_over_share(2)
    for number in range(rounds):
        for level in LEVELS:
            for name in sorted(handles, reverse=bool(number % 2)):
                measured = drive(handles[name], bodies, level=level, requests=requests)
                if name == "pool":
                    measured["worst_wait_over_share"] = pool.worst_wait_over_share(level)
                found.append({"round": number, "level": level, "subject": name, **measured})
    print(json.dumps(found), flush=True)
