"""Measure the resident memory that each further interpreter of a pool takes, in kB. Prints JSON."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path

from core import manifest, runtime

INTERPRETERS = 4


def resident_kb() -> int:
    """Source: proc(5), /proc/self/statm, second field, pages."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def main() -> None:
    """Arguments: unused, the model's folder, the runtime."""
    loaded = manifest.load(Path(sys.argv[2]))
    variant, name = runtime.pick(loaded, wanted=sys.argv[3])
    kept, resident = [], [resident_kb()]
    for _ in range(INTERPRETERS):
        interpreter = runtime.module(name).open_interpreter(variant.file)
        interpreter.run(
            bytes(math.prod(interpreter.input.shape) * (4 if interpreter.input.dtype == "float32" else 1))
        )
        kept.append(interpreter)
        resident.append(resident_kb())
    print(json.dumps({"runtime": name, "resident_kb": resident}), flush=True)
