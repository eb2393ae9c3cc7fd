"""Find what a cloud would refuse, or what would fail there, before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.bundle import archive, elf

if TYPE_CHECKING:
    from adapters.bundle.target import BundleTarget

_MIB = 1024 * 1024
_SOON_DAYS = 180


@dataclass(frozen=True, slots=True)
class BundleFinding:
    """One sentence about one thing; `refused` says that the deployment would fail."""

    refused: bool
    message: str


def check_files(folder: Path, target: BundleTarget) -> Iterator[BundleFinding]:
    """Read every shared object below `folder` for its architecture and its C library."""
    for path in sorted(folder.rglob("*.so*")):
        found, name = elf.read(path), path.relative_to(folder).as_posix()
        if found is None:
            continue
        if found.arch != target.arch:
            yield BundleFinding(
                True, f"{name} is for {found.arch}, the function for {target.arch}: build for one of them"
            )
        elif found.glibc and found.glibc > target.glibc:
            yield BundleFinding(
                True,
                f"{name} needs glibc {_dotted(found.glibc)}, but {target.system} (Python {target.python}) has "
                f"{_dotted(target.glibc)}: choose a newer --python, another --runtime, or --format image",
            )


def check_sizes(unpacked_bytes: int, zipped_bytes: int, limits: Mapping[str, Any]) -> Iterator[BundleFinding]:
    """Compare with the package limits of `[bundle.target]`; a cloud without one has no such key."""
    most = limits.get("unzipped_bytes")
    if most and unpacked_bytes > most:
        yield BundleFinding(
            True,
            f"the bundle is {_mib(unpacked_bytes)} unpacked, the cloud takes {_mib(most)}: choose one --variant of "
            "the model, or --format image",
        )
    direct = limits.get("zipped_bytes")
    if direct and zipped_bytes > direct:
        yield BundleFinding(False, f"the zip is {_mib(zipped_bytes)}, above {_mib(direct)}: it goes through a bucket")


def check_python(target: BundleTarget, today: date) -> Iterator[BundleFinding]:
    """Compare the end date of the target's Python with `today`."""
    left_days = (target.ends - today).days
    if left_days < 0:
        yield BundleFinding(
            True, f"Python {target.python} ended on this cloud on {target.ends}: choose a newer --python"
        )
    elif left_days < _SOON_DAYS:
        yield BundleFinding(
            False, f"Python {target.python} ends on this cloud on {target.ends}: choose a newer --python soon"
        )


def check_memory(memory_mb: int, rule: Mapping[str, Any]) -> Iterator[BundleFinding]:
    """Compare a memory size with `[memory]` of `cloud.toml`."""
    sizes = rule.get("sizes_mb")
    low, high, step = rule["minimum_mb"], rule["maximum_mb"], rule.get("step_mb", 1)
    if sizes and memory_mb not in sizes:
        yield BundleFinding(True, f"{memory_mb} MB is not offered: choose one of {', '.join(map(str, sizes))} MB")
    elif not low <= memory_mb <= high or (memory_mb - low) % step:
        yield BundleFinding(True, f"{memory_mb} MB is not offered: choose {low} to {high} MB in steps of {step} MB")


def check_bytecode(folder: Path, target: BundleTarget) -> Iterator[BundleFinding]:
    """Look for the target's own .pyc files: without them a cold start takes twice as long."""
    tag = f"*.cpython-{target.python.replace('.', '')}.pyc"
    if not any(folder.rglob(tag)):
        yield BundleFinding(
            False,
            f"no byte code for Python {target.python}, so a cold start takes about twice as long: put a "
            f"python{target.python} on the PATH and build again",
        )


def check_platform_sdk(folder: Path) -> Iterator[BundleFinding]:
    """Find what the platform brings itself."""
    for name in ("boto3", "botocore"):
        if (folder / name).is_dir():
            yield BundleFinding(
                True, f"{name} is in the bundle (25 MB, 290 ms of import): Lambda brings it; take it out"
            )


def check_model(models: Path, runtime: str) -> Iterator[BundleFinding]:
    """Look for a variant of the shipped model that the shipped runtime can run."""
    for manifest in models.glob("*/manifest.json"):
        document = json.loads(manifest.read_text("utf-8"))
        fit = [entry for entry in document["variants"] if runtime in entry["runtimes"]]
        if runtime == "litert-direct" and "features" not in document["input"]:
            fit = [entry for entry in fit if entry["input_dtype"] == "uint8"]
        if not fit:
            yield BundleFinding(
                True, f"no shipped variant of {manifest.parent.name} runs on {runtime}: choose another --runtime"
            )


def unpacked_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in archive.files(folder))


def _dotted(version: elf.Version) -> str:
    return ".".join(map(str, version))


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / _MIB:.1f} MiB"
