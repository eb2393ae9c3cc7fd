"""Sends damaged images to the classifier: every one must get a prediction or a clear 4xx, in time and in memory.

    python -m tests.scripts.fuzz --count 10000 --seed 1

Real files of `TRIPOINT_DATA/images` are damaged where it is set, the project's own samples and pictures always.
"""

from __future__ import annotations

import argparse
import collections
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from core.service import Service
from core.wire import Request
from tests.kits.core import QUIET, encoded, new_instance, picture
from tests.paths import SAMPLES

_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")
_WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1", b"\xff\xda", b"IDAT", b"\x80")


def seeds() -> list[bytes]:
    """Whole files of every format and mode, small enough to damage by the thousand."""
    found = [encoded(picture(mode, (96, 64)), kind) for kind in _FORMATS for mode in _modes(kind)]
    for compression in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits", "group4"):
        mode = "1" if compression == "group4" else "RGB"
        found.append(encoded(picture(mode, (96, 64)), "TIFF", compression=compression))
    found.append(encoded(picture(), "JPEG", progressive=True))
    folders = [SAMPLES]
    if data := os.environ.get("TRIPOINT_DATA"):
        folders.append(Path(data) / "images")
    files = [path for folder in folders for path in sorted(folder.rglob("*.*")) if path.stat().st_size < 300_000]
    return found + [path.read_bytes() for path in files if path.suffix in (".jpg", ".png", ".gif", ".tif", ".webp")]


def _modes(kind: str) -> tuple[str, ...]:
    return {"JPEG": ("RGB", "L", "CMYK"), "WEBP": ("RGB", "RGBA"), "GIF": ("P", "L")}.get(
        kind, ("RGB", "RGBA", "P", "1")
    )


def _flip(data: bytearray, at: int, dice: random.Random) -> None:
    data[at] ^= 1 << dice.randrange(8)


def _overwrite(data: bytearray, at: int, dice: random.Random) -> None:
    word = dice.choice(_WORDS)
    data[at : at + len(word)] = word


def _cut(data: bytearray, at: int, dice: random.Random) -> None:
    del data[at : at + dice.randrange(1, 64)]


def _insert(data: bytearray, at: int, dice: random.Random) -> None:
    data[at:at] = dice.randbytes(dice.randrange(1, 64))


def _truncate(data: bytearray, at: int, dice: random.Random) -> None:
    if dice.random() < 0.2:
        del data[at:]


_DAMAGE: tuple[Callable[[bytearray, int, random.Random], None], ...] = (_flip, _overwrite, _cut, _insert, _truncate)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """`data` with one to sixty-four places damaged, half of them in its first 400 bytes, where the headers are."""
    found = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 16, 64))):
        if not found:
            break
        reach = len(found) if dice.random() < 0.5 else min(len(found), 400)
        dice.choice(_DAMAGE)(found, dice.randrange(reach), dice)
    return bytes(found)


def mutants(count: int, seed: int) -> Iterator[bytes]:
    """The same `count` damaged files for the same seed and seed files."""
    dice, whole = random.Random(seed), seeds()
    for _ in range(count):
        yield damaged(dice.choice(whole), dice)


def peak_mb() -> float:
    """The most memory that this process ever had."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)


def main() -> int:
    """Run; the exit status is 1 when any answer was neither 200 nor 4xx."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.scripts.fuzz", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    service = Service.from_env(QUIET, new_instance())
    tally: collections.Counter[str] = collections.Counter()
    before_mb, slowest_ms, bad = peak_mb(), 0.0, 0
    for number, data in enumerate(mutants(options.count, options.seed)):
        started_s = time.perf_counter()
        answer = service.infer(Request("POST", "/", body=data))
        slowest_ms = max(slowest_ms, (time.perf_counter() - started_s) * 1000)
        error = answer.document.get("error")
        tally[f"{answer.status} {error['code']}" if isinstance(error, dict) else str(answer.status)] += 1
        if answer.status != 200 and not 400 <= answer.status < 500:
            bad += 1
            print(f"file {number} of seed {options.seed}: status {answer.status}", file=sys.stderr)
    for name, count in tally.most_common():
        print(f"{count:7d}  {name}")
    print(f"slowest {slowest_ms:.0f} ms, peak memory {before_mb:.0f} -> {peak_mb():.0f} MB, {bad} bad answers")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
