"""The Dockerfiles' steps, carried out without Docker in a clean root; TRIPOINT_INDEX=1 lets pip reach its index."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from adapters import contract
from adapters.bundle.layout import REPOSITORY
from adapters.upstream import listening_ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(not os.environ.get("TRIPOINT_INDEX"), reason="needs a package index: set TRIPOINT_INDEX=1"),
]
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass(frozen=True, slots=True)
class Image:
    """A folder that holds what the image would: `app` is its WORKDIR, `variables` its ENV."""

    root: Path
    app: Path
    variables: dict[str, str]
    command: list[str]


def build(cloud: str, root: Path) -> Image:
    """Run the Dockerfile's WORKDIR, COPY, RUN, ENV and CMD; the base image is a fresh virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", str(root / "venv")], check=True)
    text = (contract.load(cloud).folder / "Dockerfile").read_text(encoding="utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").replace("${MODEL}", "clothes")
    variables = {"PATH": f"{root / 'venv' / 'bin'}:{os.environ['PATH']}", "PYTHON": VERSION}
    command: list[str] = []
    app = root
    for instruction, rest in re.findall(r"^([A-Z]+) (.+)$", text, flags=re.MULTILINE):
        if instruction == "WORKDIR":
            app = root / rest.lstrip("/")
            app.mkdir(parents=True)
        elif instruction == "COPY":
            copy(rest.split(), app, root)
        elif instruction == "RUN":
            line = rest.replace("/tmp/", f"{root}/tmp/")
            subprocess.run(
                line, shell=True, cwd=app, env=os.environ | variables, check=True, stdout=subprocess.DEVNULL
            )
        elif instruction == "ENV":
            variables |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif instruction == "CMD":
            command = re.findall(r'"([^"]*)"', rest)
    return Image(root, app, variables, command)


def copy(words: list[str], app: Path, root: Path) -> None:
    *sources, destination = words
    target = root / destination.lstrip("/") if destination.startswith("/") else app / destination
    target.mkdir(parents=True, exist_ok=True)
    for source in sources:
        if (REPOSITORY / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / source, target, dirs_exist_ok=True, ignore=ignored)
        else:
            shutil.copy2(REPOSITORY / source, target)


@pytest.fixture(scope="module")
def gcp(tmp_path_factory: pytest.TempPathFactory) -> Image:
    return build("gcp", tmp_path_factory.mktemp("gcp"))


@pytest.fixture
def service(gcp: Image, tmp_path: Path) -> Iterator[int]:
    """The image's own command, on loopback and a free port."""
    variables = gcp.variables | {"HOST": "127.0.0.1", "PORT": "0", "XDG_RUNTIME_DIR": str(tmp_path)}
    with subprocess.Popen(gcp.command, cwd=gcp.app, env=variables) as process:
        deadline_s = time.monotonic() + 60
        while not (ports := listening_ports(process.pid)):
            assert process.poll() is None
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        yield min(ports)
        process.terminate()


def test_the_cloud_run_image_classifies_with_nothing_else_installed(service: int, sample_paths: list[Path]) -> None:
    url = f"http://127.0.0.1:{service}/?top_k=1"
    done = subprocess.run(
        ["curl", "-sf", "--data-binary", f"@{sample_paths[0]}", url], stdout=subprocess.PIPE, text=True, check=True
    )
    assert '"predictions":[{"label":' in done.stdout


def test_the_azure_image_has_all_that_its_function_imports(tmp_path: Path) -> None:
    image = build("azure", tmp_path)
    script = "import function_app; print([each.get_function_name() for each in function_app.app.get_functions()])"
    done = subprocess.run(
        ["python", "-c", script], cwd=image.app, env=image.variables, stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.strip() == "['classify']"
