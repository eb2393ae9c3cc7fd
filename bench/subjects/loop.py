"""The loop that every subject shares. It imports next to nothing, as its imports count as cold start."""

from __future__ import annotations

import sys
from time import perf_counter, process_time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

T = TypeVar("T")


def serve(
    load: Callable[[int], T], answer: Callable[[T], object], *, took: Callable[[], float] | None = None
) -> None:
    """Answer image 0, say "ready" with the processor seconds used so far, then answer whatever number comes.

    Only `answer` is timed; a subject that knows better what belongs to it gives its own time with `took`.
    """
    found = answer(load(0))
    print("ready", process_time(), found, flush=True)
    for line in sys.stdin:
        item = load(int(line))
        started_s = perf_counter()
        answer(item)
        whole_s = perf_counter() - started_s
        print(took() if took else whole_s, flush=True)
    print(peak_kb(), flush=True)


def peak_kb() -> int:
    """The most memory this process ever had; `getrusage` would count what its parent had before `exec`."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - pathlib would be an import
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak // 1024 if sys.platform == "darwin" else peak


def folder() -> str:
    """The folder of images and events, the program's first argument."""
    return sys.argv[1]


def event(cloud: str, number: int) -> dict[str, Any]:
    """A recorded event of the cloud with image `number` in it."""
    import json

    with open(f"{folder()}/{cloud}-{number}.json", encoding="ascii") as file:  # noqa: PTH123 - pathlib is an import
        found: dict[str, Any] = json.load(file)
        return found
