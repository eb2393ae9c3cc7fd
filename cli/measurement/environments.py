"""Find the environments of this checkout, each with a Python of its own, for local clouds to run on."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def environments(root: Path = _ROOT) -> dict[str, str]:
    """The interpreters by Python version, such as "3.12": this one, and those that `make setup PYTHON=…` made.

    Of several with the same version this one counts, then the first by name.
    """
    found = {".".join(platform.python_version_tuple()[:2]): sys.executable}
    for configuration in sorted(root.glob(".venv*/pyvenv.cfg")):
        interpreter = configuration.parent / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
        if (configuration.parent / "made-from").is_file() and interpreter.exists():
            found.setdefault(_version(configuration), str(interpreter))
    return found


def _version(configuration: Path) -> str:
    """The version that `venv` wrote into its configuration."""
    lines = configuration.read_text(encoding="utf-8").splitlines()
    written = next((line.partition("=")[2].strip() for line in lines if line.startswith("version")), "")
    return ".".join(written.split(".")[:2])
