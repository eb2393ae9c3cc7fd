"""Resolve the locked requirements of every supported Python version (needs `uv` on the PATH).

The files carry hashes and no address of a package index. Wheels for Linux and macOS are both covered.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
# Tripoint itself does not run on these: only the packages that bundles carry, at the versions of the newest above.
BUNDLE_VERSIONS = ("3.14",)
BUNDLED = (
    "ai-edge-litert",
    "azure-functions",
    "functions-framework",
    "numpy",
    "onnxruntime",
    "pillow",
    "xgboost-cpu",
)


def compile_to(name: str, version: str, *choices: str) -> None:
    """Write one lock file."""
    command = ["uv", "pip", "compile", "pyproject.toml", "--python-version", version, "--universal", *choices]
    style = ["--generate-hashes", "--no-annotate", "--custom-compile-command", "make lock", "--no-emit-index-url"]
    subprocess.run([*command, *style, "--quiet", "--output-file", name, *sys.argv[1:]], cwd=ROOT, check=True)


def lock(version: str) -> None:
    """Write requirements/py3XX-dev.txt for one Python version, and py3XX.txt, what users need, a part of it."""
    name = f"requirements/py{version.replace('.', '')}"
    compile_to(f"{name}-dev.txt", version, "--group", "build", "--extra", "dev")
    compile_to(f"{name}.txt", version, "--group", "build", "--constraint", f"{name}-dev.txt")


def lock_bundled(version: str) -> None:
    """Write requirements/py3XX.txt for a Python that bundles are built for and nothing here runs on."""
    name = f"requirements/py{version.replace('.', '')}"
    newest = f"requirements/py{VERSIONS[-1].replace('.', '')}-dev.txt"
    command = ["uv", "pip", "compile", "-", "--python-version", version, "--universal", "--no-deps"]
    command += ["--constraint", newest, "--generate-hashes", "--no-annotate", "--custom-compile-command", "make lock"]
    command += ["--no-emit-index-url", "--quiet", "--output-file", f"{name}.txt", *sys.argv[1:]]
    subprocess.run(command, cwd=ROOT, check=True, input="\n".join(BUNDLED).encode())


if __name__ == "__main__":
    for supported in VERSIONS:
        lock(supported)
    for bundled in BUNDLE_VERSIONS:
        lock_bundled(bundled)
