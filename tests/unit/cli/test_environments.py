"""Interpreters that local clouds can run on."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from cli.measurement.environments import environments


def test_this_interpreter_and_the_environments_of_the_checkout_are_found(tmp_path: Path) -> None:
    made, half = tmp_path / ".venv-python3.99", tmp_path / ".venv-python3.98"
    for folder, version in ((made, "3.99.1"), (half, "3.98.0")):
        (folder / "bin").mkdir(parents=True)
        (folder / "bin" / "python").touch()
        (folder / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {version}\n")
    (made / "made-from").touch()  # the other one was not finished
    here = ".".join(platform.python_version_tuple()[:2])
    assert environments(tmp_path) == {here: sys.executable, "3.99": str(made / "bin" / "python")}
