"""Find the container tool of this machine, docker, podman or buildah, and what it can build for."""

from __future__ import annotations

import functools
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from adapters.bundle.errors import BundleError

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
_TOOLS = ("docker", "podman", "buildah")
_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
# docs.kernel.org/admin-guide/binfmt-misc.html: one file for each foreign kind of program, as of 2026-11-25.
_FOREIGN = Path("/proc/sys/fs/binfmt_misc")
_NAMES = {"x86_64": "x86_64", "arm64": "aarch64"}
_ASK_S = 30


def find() -> str:
    """The first tool that works. Raises BundleError saying of each what is missing."""
    return _find(os.environ.get("PATH", ""))


@functools.cache
def _find(path: str) -> str:
    """A docker client without its service is as good as none."""
    lacking = []
    for tool in _TOOLS:
        if not shutil.which(tool, path=path):
            lacking.append(f"{tool} is not installed")
        elif asked(tool, "info") is None:
            lacking.append(f"{tool} is installed, but `{tool} info` fails: is its service running?")
        else:
            return tool
    raise BundleError(
        f"no container tool works here ({'; '.join(lacking)}): start or install one, or use --format zip"
    )


def builds_for(tool: str, arch: str) -> bool:
    """Whether `tool` can run programs of `arch` in a build; True where that cannot be told."""
    if tool == "docker":
        return _listed(asked(tool, "buildx", "inspect"), PLATFORMS[arch])
    if arch == _MACHINES.get(platform.machine().lower()) or sys.platform != "linux":
        return True
    return any(_enabled(entry) for entry in _FOREIGN.glob(f"*{_NAMES[arch]}*"))


def _listed(said: str | None, wanted: str) -> bool:
    """Read the builder's line of platforms; docker's service may be on another machine, with emulation of its own."""
    found = re.search(r"^Platforms:\s*(.+)$", said or "", re.MULTILINE)
    return found is None or wanted in {name.strip(" *") for name in found[1].split(",")}


def _enabled(entry: Path) -> bool:
    return entry.read_text("utf-8").startswith("enabled")


def asked(tool: str, *arguments: str) -> str | None:
    """What the tool says; None when it fails."""
    try:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, timeout=_ASK_S, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else None
