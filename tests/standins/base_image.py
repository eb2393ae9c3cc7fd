"""A base image where none can be pulled: Debian 12, its own Python and pip, under the name that a Dockerfile has.

It stands for `python:3.11-slim-bookworm`: the same Debian and the same minor version of Python, made by debootstrap
from this machine's own Debian mirror.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from adapters.bundle import cache

NAME = "docker.io/library/python:3.11-slim-bookworm"
NEEDED = ("buildah", "debootstrap", "apt-get")
_SUITE, _PACKAGES = "bookworm", "python3,python3-pip,ca-certificates"
_PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_LISTED = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)"
_PIP = ("index-url", "extra-index-url", "trusted-host")
_CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def _surroundings(folder: Path) -> dict[str, str]:
    """Variables that give buildah a store of its own in `folder`, chroot for isolation, and no way to a registry."""
    folder.mkdir(parents=True)
    (folder / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n'
    )
    (folder / "registries.conf").write_text('[[registry]]\nlocation = "docker.io"\nblocked = true\n')
    return {
        "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(folder / "registries.conf"),
        "BUILDAH_ISOLATION": "chroot",
    }


@contextmanager
def store(folder: Path) -> Iterator[dict[str, str]]:
    """A store of buildah's with the base image in it, and the variables that lead there; a gigabyte, then gone."""
    variables = _surroundings(folder)
    try:
        _make(variables)
        yield variables
    finally:
        shutil.rmtree(folder)


def _make(variables: Mapping[str, str]) -> None:
    """Put the base image into the store that `variables` lead to."""
    root = cache.folder_for("debian", f"{_SUITE}-python", _debootstrap)
    environ = {**os.environ, **variables}

    def buildah(*arguments: str) -> str:
        done = subprocess.run(
            ["buildah", *arguments], env=environ, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"buildah {arguments}: {done.stderr[-2000:]}"
        return done.stdout.strip()

    container = buildah("from", "scratch")
    buildah("add", "-q", container, f"{root}/", "/")
    with tempfile.TemporaryDirectory() as settings:
        _write_pip_settings(Path(settings))
        buildah("add", "-q", container, f"{settings}/", "/")
    buildah("config", "--workingdir", "/", "--env", f"PATH={_PATH}", container)
    buildah("commit", "-q", container, NAME)
    buildah("rm", container)


def _debootstrap(folder: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", _SUITE, str(folder), _mirror()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    shutil.rmtree(folder / "var/cache/apt/archives")
    (folder / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    (folder / "usr/bin/python").symlink_to("python3.11")


def _mirror() -> str:
    """Where this machine's apt takes Debian from."""
    lines = subprocess.run(
        ["apt-get", "indextargets", "--format", _LISTED], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    found = [line.split()[0] for line in lines if line.split()[1:] == [_SUITE, "main", "Packages"]]
    assert found, f"apt has no main of {_SUITE}"
    return found[0]


def _write_pip_settings(folder: Path) -> None:
    """The way to this machine's package index, and the certificates that it needs; never kept in the cache."""
    (folder / _CERTIFICATES).parent.mkdir(parents=True)
    lines = ["[global]"]
    for name in _PIP:
        asked = [sys.executable, "-m", "pip", "config", "get", f"global.{name}"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        said = os.environ.get(f"PIP_{name.upper().replace('-', '_')}") or done.stdout.strip()
        words = [word for word in said.split() if not word.startswith(("/", "file:"))]  # folders of this machine
        lines += [f"{name} = {' '.join(words)}"] if words else []
    certificates = Path("/") / _CERTIFICATES
    if certificates.is_file():
        shutil.copy2(certificates, folder / _CERTIFICATES)
        lines.append(f"cert = /{_CERTIFICATES}")
    (folder / "etc/pip.conf").write_text("\n".join(lines) + "\n")
