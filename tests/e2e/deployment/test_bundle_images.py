"""Every Dockerfile's own steps, carried out here in a clean folder with a clean environment, without Docker.

The base image is not there: its Python is a fresh virtual environment of this version. What COPY takes, what RUN
runs and what ENV sets are read from the Dockerfile; then the entry is imported with what it installed.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from adapters import contract
from adapters.bundle import image, layout
from adapters.bundle.build import BundleSpec
from adapters.bundle.errors import BundleError
from adapters.bundle.target import target_of

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
ENTRIES = {"aws": "adapters.aws.handler", "gcp": "main", "azure": "function_app"}
IMAGES = [
    (cloud, runtime, file)
    for cloud in contract.clouds()
    for runtime, file in contract.load(cloud).data["bundle"].get("images", {}).items()
]


@dataclass
class Build:
    """A clean root; absolute paths of the Dockerfile lie below it."""

    root: Path
    variables: dict[str, str] = field(default_factory=lambda: {"PYTHON": HERE})
    folder: str = "/"

    def carry_out(self, dockerfile: Path) -> None:
        text = re.sub(r"\\\n\s*", " ", "\n".join(line for line in _lines(dockerfile)))
        for line in text.splitlines():
            word, _, rest = line.partition(" ")
            if word in ("ARG", "ENV"):
                for pair in shlex.split(rest):
                    name, has_value, value = pair.partition("=")
                    if has_value:
                        self.variables.setdefault(name, self._filled(value))
            elif word == "WORKDIR":
                self.folder = rest
                self.path(rest).mkdir(parents=True, exist_ok=True)
            elif word == "COPY":
                self._copy(shlex.split(self._filled(rest)))
            elif word == "RUN":
                self.run(["sh", "-ec", rest.replace("/tmp/", f"{self.root}/tmp/")])

    def run(self, command: list[str]) -> str:
        (self.root / "tmp").mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE") if name in os.environ}
        environ = {**kept, **self.variables, "PATH": f"{self.root}/venv/bin:/usr/bin:/bin"}
        done = subprocess.run(
            command, cwd=self.path(self.folder), env=environ, capture_output=True, text=True, timeout=400, check=False
        )
        if "No matching distribution" in done.stderr and "Could not fetch" in done.stderr:
            pytest.skip("no package index can be reached")
        assert done.returncode == 0, f"{command}: {done.stderr[-3000:]}"
        return done.stdout

    def path(self, name: str) -> Path:
        inside = name if name.startswith("/") else f"{self.folder}/{name}"
        return self.root / inside.lstrip("/")

    def _copy(self, names: list[str]) -> None:
        *sources, destination = names
        for name in sources:
            source, target = layout.REPOSITORY / name, self.path(destination)
            assert source.exists(), f"COPY {name}: no such file"
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)

    def _filled(self, text: str) -> str:
        return re.sub(r"\$\{(\w+)\}", lambda found: self.variables[found[1]], text)


def _lines(dockerfile: Path) -> list[str]:
    lines = dockerfile.read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("cloud", "runtime", "file"), IMAGES, ids=[f"{each[0]}-{each[1]}" for each in IMAGES])
def test_an_images_steps_give_a_function_that_starts(cloud: str, runtime: str, file: str, tmp_path: Path) -> None:
    if runtime == "tflite-runtime" and (HERE != "3.11" or sys.platform != "linux"):
        pytest.skip("tflite-runtime has wheels for Linux and Python up to 3.11 only")
    venv.create(tmp_path / "venv", with_pip=True)
    build = Build(tmp_path)
    build.carry_out(layout.REPOSITORY / file)
    said = build.run(
        ["python", "-c", f"import {ENTRIES[cloud]} as entry; print(entry.SERVICE.__class__.__name__, entry.__file__)"]
    )
    assert said.startswith("Service ")
    assert str(tmp_path) in said
    compiled = list(build.path(build.folder).rglob("*.pyc"))
    assert compiled, "byte code is in the image"
    assert not (tmp_path / "tmp" / "locks").exists()


@pytest.mark.parametrize(("cloud", "runtime", "file"), IMAGES, ids=[f"{each[0]}-{each[1]}" for each in IMAGES])
def test_an_image_is_built_for_a_named_platform(cloud: str, runtime: str, file: str) -> None:
    found = contract.load(cloud)
    python = "3.11" if runtime == "tflite-runtime" else "3.13"
    order = BundleSpec(found, target_of(found, python=python), runtime=runtime)
    by_docker, by_buildah = image.command(order, "docker"), image.command(order, "buildah")
    assert by_docker[by_docker.index("--platform") + 1] == "linux/amd64"
    assert "--provenance=false" in by_docker
    assert "--provenance=false" not in by_buildah
    assert by_docker[-1] == "."
    assert by_buildah[by_buildah.index("--ignorefile") + 1] == f"{file}.dockerignore"
    text = (layout.REPOSITORY / file).read_text("utf-8")
    assert "ADD http" not in text
    assert "latest" not in text
    base: Any = re.search(r"^FROM (\S+)", text, re.MULTILINE)
    assert ":" in base[1], "a base with its version"


def test_a_missing_dockerfile_is_told_with_the_way_out() -> None:
    found = contract.load("gcp")
    order = BundleSpec(found, target_of(found), runtime="litert-direct")
    with pytest.raises(BundleError, match="has no Dockerfile for litert-direct: use --format zip"):
        image.command(order, "docker")
