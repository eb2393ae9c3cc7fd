"""Prepare what the subjects work on: images, events with these images in them, and bundles."""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters import contract
from adapters.bundle import layout

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLES = REPOSITORY / "model" / "samples"
MODEL = REPOSITORY / "model" / "clothes"


@dataclass(frozen=True, slots=True)
class BenchInputs:
    """`work` holds `<n>.jpg` and `<cloud>-<n>.json`; `source` says in words where the images are from."""

    work: Path
    images: int
    source: str
    median_bytes: int
    bundle: Path
    bare_bundle: Path


def prepare(work: Path, *, images: Path | None, count: int, seed: int) -> BenchInputs:
    """Lay out images, events and bundles in `work`."""
    paths, source = _choose(images, count=count, seed=seed)
    for number, path in enumerate(paths):
        shutil.copyfile(path, work / f"{number}.jpg")
    for cloud in contract.clouds():
        _write_events(cloud, paths, work)
    bundle = layout.assemble(contract.load("aws"), folder=work / "bundle")
    bare = work / "bundle-without-pyc"
    shutil.copytree(bundle, bare, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"), copy_function=_link)
    sizes = sorted(path.stat().st_size for path in paths)
    return BenchInputs(work, len(paths), source, sizes[len(sizes) // 2], bundle, bare)


def _link(source: str, destination: str) -> str:
    """A second name for a file; a copy where the file system has none to give."""
    try:
        os.link(source, destination)
    except OSError:
        shutil.copy2(source, destination)
    return destination


def _choose(folder: Path | None, *, count: int, seed: int) -> tuple[Sequence[Path], str]:
    """`count` photographs: of `folder`, else of the validation split where TRIPOINT_DATA has it, else our samples."""
    data = os.environ.get("TRIPOINT_DATA")
    validation = Path(data) / "clothes" / "validation" if data else None
    if folder is None and validation is not None and validation.is_dir():
        folder, source = validation, "validation split of the clothes data"
    else:
        source = f"photographs of {folder.name}" if folder else "the project's own samples"
    found = sorted((folder or SAMPLES).rglob("*.jp*g"))
    if not found:
        raise SystemExit(f"{folder or SAMPLES} has no .jpg or .jpeg files: give a folder that has some with --images")
    random.Random(seed).shuffle(found)
    return found[:count], source


def _write_events(cloud: str, paths: Sequence[Path], work: Path) -> None:
    """The cloud's recorded request with image bytes, the first by name, with each image filled in."""
    events = contract.load(cloud).folder / "events"
    recorded = min(path for path in events.glob("*image_bytes.json") if not path.name.startswith("alb"))
    text = json.dumps(json.loads(recorded.read_text(encoding="utf-8"))["event"])
    for number, path in enumerate(paths):
        image = base64.b64encode(path.read_bytes()).decode()
        (work / f"{cloud}-{number}.json").write_text(text.replace("$image_base64", image), encoding="ascii")
