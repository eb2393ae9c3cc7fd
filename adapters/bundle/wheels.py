"""The third-party packages of a bundle for another machine: wheels of the locked versions, unpacked and slimmed."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.markers import Marker

from adapters.bundle import cache, slimming
from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from adapters.bundle.target import BundleTarget

_PIN = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^ ;\\]+)(?: *; *(?P<marker>[^\\]+?))? *\\?$")


@dataclass(frozen=True, slots=True)
class Pin:
    """One locked package: its exact version and the sha256 of each file that may be taken."""

    name: str
    version: str
    hashes: tuple[str, ...]

    def requirement(self) -> str:
        return " ".join((f"{self.name}=={self.version}", *(f"--hash=sha256:{value}" for value in self.hashes)))


def pins(packages: Sequence[str], *, locks: Path, target: BundleTarget) -> list[Pin]:
    """The locked versions of `packages` for the target's Python; raises BundleError when one is not locked.

    The developers' lock file holds the users' versions too, and the runtimes that are extras for users.
    """
    lock = locks / f"py{target.python.replace('.', '')}.txt"
    if not lock.is_file():
        raise BundleError(f"{lock.name} is missing from requirements/: bundles are built from a checkout")
    files = [file for file in (lock.with_name(f"{lock.stem}-dev.txt"), lock) if file.is_file()]
    locked = {pin.name: pin for file in files for pin in _read(file.read_text(encoding="utf-8"), target)}
    missing = [name for name in packages if slimming.canonical(name) not in locked]
    if missing:
        raise BundleError(f"no {missing[0]} for Python {target.python}: {lock.name} does not lock it; see --runtime")
    return [locked[slimming.canonical(name)] for name in packages]


def _read(text: str, target: BundleTarget) -> Iterator[Pin]:
    """Read a lock file: one requirement, its marker, and a line for each hash."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", text)
    for block in blocks:
        found = _PIN.match(block.splitlines()[0].strip()) if block.strip() else None
        if found and _applies(found["marker"], target):
            hashes = tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block))
            yield Pin(slimming.canonical(found["name"]), found["version"], hashes)


def _applies(marker: str | None, target: BundleTarget) -> bool:
    """Judge a marker for the target, not for this machine."""
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[target.arch]
    environment = {
        "python_version": target.python,
        "python_full_version": f"{target.python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    return marker is None or Marker(marker).evaluate(environment)


def unpacked(locked: Sequence[Pin], target: BundleTarget, *, runtime: str) -> Path:
    """A folder with the packages for the target, slimmed for `runtime`, not byte-compiled; downloaded once."""
    wanted = "\n".join([runtime, repr(target.wheel_platforms), *(pin.requirement() for pin in locked)])
    key = hashlib.sha256(f"1 {target.python} {wanted}".encode() + slimming.RULES.read_bytes()).hexdigest()[:32]
    return cache.folder_for("wheels", key, lambda folder: _fill(folder, locked, target, runtime))


def _fill(folder: Path, locked: Sequence[Pin], target: BundleTarget, runtime: str) -> None:
    with tempfile.TemporaryDirectory() as downloads:
        for pin in locked:
            _download(pin, target, Path(downloads))
        for wheel in sorted(Path(downloads).glob("*.whl")):
            _unpack(wheel, folder, runtime)


def _download(pin: Pin, target: BundleTarget, folder: Path) -> None:
    listing = folder / "requirement.txt"
    listing.write_text(pin.requirement(), encoding="utf-8")
    abi = f"cp{target.python.replace('.', '')}"
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [
        "--only-binary=:all:",
        "--require-hashes",
        "--implementation",
        "cp",
        "--python-version",
        target.python,
    ]
    command += [part for name in (abi, "abi3", "none") for part in ("--abi", name)]
    command += [part for name in target.wheel_platforms for part in ("--platform", name)]
    done = subprocess.run(
        [*command, "--dest", str(folder), "-r", str(listing)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise BundleError(_why(pin, target, done.stderr))


def _why(pin: Pin, target: BundleTarget, said: str) -> str:
    place = f"Python {target.python} on {target.arch} ({target.system})"
    if "No matching distribution" in said:
        return f"{pin.name} {pin.version} has no wheel for {place}: choose another --python, --arch or --runtime"
    last = said.strip().splitlines()[-1:] or ["no message"]
    return f"could not download {pin.name} {pin.version} for {place}: {last[0]}; check the network or package index"


def _unpack(wheel: Path, folder: Path, runtime: str) -> None:
    name, version = wheel.name.split("-")[:2]
    rule = slimming.rule_of(name, version, runtime)
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if rule.ships(name) and not name.endswith("/") and ".data/" not in name:
                packed.extract(name, folder)
