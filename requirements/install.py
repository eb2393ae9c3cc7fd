"""Make or refresh the project's virtual environment from the locked, hashed requirements.

    python requirements/install.py FOLDER [--dev]

With --dev also what tests, checks and benchmarks need. Needs only Python 3.11, 3.12 or 3.13 with `venv` and
pip. Safe to run twice at the same time; does nothing when the environment already matches the lock files.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent
SUPPORTED = ((3, 11), (3, 12), (3, 13))


def lock_files() -> tuple[Path, Path]:
    """The lock file of this Python version, and the one of Azure's runtime (installed apart)."""
    version = f"py{sys.version_info[0]}{sys.version_info[1]}"
    return ROOT / "requirements" / f"{version}.txt", ROOT / "requirements" / "azure-runtime.txt"


def developers_file() -> Path:
    """The lock file of this Python version with what developers need; users' packages are a part of it."""
    return lock_files()[0].with_name(f"py{sys.version_info[0]}{sys.version_info[1]}-dev.txt")


def fingerprint(environment: Path, *more: Path) -> str:
    """What the environment was made from: interpreter, its place, and every file that decides its contents."""
    digest = hashlib.sha256(f"{sys.version} {sys.base_prefix} {environment}".encode())
    for path in (*lock_files(), ROOT / "pyproject.toml", Path(__file__), *more):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def run(command: Sequence[str], *, step: str) -> None:
    """Run one step quietly; on failure show what it said and stop with the next thing to do."""
    print(f"  {step} …", flush=True)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        print(done.stdout[-4000:], file=sys.stderr)
        raise SystemExit(f"could not {step}: see the lines above; check the network or package index, then run again")


def make(environment: Path) -> None:
    """Build the environment from nothing."""
    locked, azure_runtime = lock_files()
    shutil.rmtree(environment, ignore_errors=True)
    print(f"Setting up {environment.name} with Python {sys.version.split()[0]} (once; about a minute)", flush=True)
    run([sys.executable, "-m", "venv", str(environment)], step="make the virtual environment")
    pip = pip_install(environment)
    run([*pip, "--require-hashes", "-r", str(locked)], step="install the locked packages")
    apart = ["--no-deps", "--ignore-requires-python", "--only-binary=:all:", "--require-hashes"]
    folder = environment / "azure-runtime"
    run([*pip, *apart, "--target", str(folder), "-r", str(azure_runtime)], step="install Azure's Python runtime")
    run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)], step="install Tripoint")


def pip_install(environment: Path) -> list[str]:
    """The start of an installing command."""
    return [str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]


def add_developers_packages(environment: Path) -> None:
    """Install what tests, checks and benchmarks need."""
    print(f"Adding the developers' packages to {environment.name} (once; about a minute)", flush=True)
    packages = ["--require-hashes", "-r", str(developers_file())]
    run([*pip_install(environment), *packages], step="install the developers' packages")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock, so that two runs at the same time make one environment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Bring the environment named on the command line up to date."""
    if sys.version_info[:2] not in SUPPORTED:
        raise SystemExit(
            f"Python {sys.version.split()[0]} is not supported: use 3.11, 3.12 or 3.13 (make PYTHON=python3.12)"
        )
    environment = Path(sys.argv[1]).absolute()
    stamp, developers_stamp = environment / "made-from", environment / "made-from-dev"
    with locked(environment.with_name(f"{environment.name}.lock")):
        if not holds(stamp, fingerprint(environment)):
            make(environment)
            stamp.write_text(fingerprint(environment))
        if "--dev" in sys.argv[2:] and not holds(developers_stamp, fingerprint(environment, developers_file())):
            add_developers_packages(environment)
            developers_stamp.write_text(fingerprint(environment, developers_file()))


def holds(stamp: Path, text: str) -> bool:
    """Whether the environment was made from just that."""
    return stamp.is_file() and stamp.read_text() == text


if __name__ == "__main__":
    main()
