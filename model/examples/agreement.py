"""Compare two versions of a model on the same files: labels and scores, each on the best runtime here.

    python -m model.examples.agreement MODEL[@VARIANT] OTHER[@VARIANT] FILES...

Without a variant, the best one for the runtimes here answers.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapters.bundle import layout
from core.service import Service
from core.wire import Request


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over `files` files: how many got the same first label, and the largest difference of any score."""

    files: int
    same_label: int
    largest_difference: float


def compare(model: str, other: str, files: Sequence[Path]) -> Agreement:
    """Ask both models about every file. Raises ValueError where one refuses a file."""
    same, largest = 0, 0.0
    with tempfile.TemporaryDirectory() as folder:
        services = [_service(each, Path(folder, str(number))) for number, each in enumerate((model, other))]
        for file in files:
            one, two = (_scores(service, file) for service in services)
            same += max(one, key=one.__getitem__) == max(two, key=two.__getitem__)
            largest = max(largest, *(abs(score - two[label]) for label, score in one.items()))
    return Agreement(len(files), same, largest)


def _service(model: str, folder: Path) -> Service:
    """Serve one variant of a model, or all, from a copy in `folder`."""
    name, _, variant = model.partition("@")
    layout.copy_model(name, folder, variant=variant or None)
    (only,) = folder.iterdir()
    return Service.from_env({**os.environ, "TRIPOINT_MODEL": str(only)})


def _scores(service: Service, file: Path) -> dict[str, float]:
    kind = "application/json" if file.suffix == ".json" else "image/*"
    answer = service.infer(Request("POST", "/", {"top_k": "1000"}, {"content-type": kind}, file.read_bytes()))
    document: Any = answer.document
    if answer.status != 200:
        raise ValueError(f"{file}: {document['error']['message']}")
    return {each["label"]: each["score"] for each in document["predictions"]}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m model.examples.agreement", description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("other")
    parser.add_argument("files", nargs="+", type=Path)
    asked = parser.parse_args()
    os.environ.setdefault("TRIPOINT_LOG_LEVEL", "error")
    found = compare(asked.model, asked.other, asked.files)
    print(
        f"{found.same_label} of {found.files} files get the same label; "
        f"scores differ by {found.largest_difference:.2g} at most"
    )


if __name__ == "__main__":
    main()
