"""Another version of what is measured, for `compare --against`: a commit, a bundle, or a model."""

from __future__ import annotations

import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Version:
    """What runs on the local clouds: the model's name or folder, and the tree or the bundle that its code is of.

    `label` says in words what it is.
    """

    label: str
    model: str
    code: Path | None = None
    bundle: Path | None = None


@contextmanager
def other_version(text: str, *, model: str) -> Iterator[Version]:
    """Yield the version that `text` names: a folder or zip of a bundle, a model, or else a commit of this project.

    `model` is the one that a commit is measured with. Raises UsageError naming what was tried.
    """
    path = Path(text)
    if (path.suffix == ".zip" and path.is_file()) or (path.is_dir() and not (path / "manifest.json").is_file()):
        yield Version(f"the bundle {path.name}", model, bundle=path.resolve())
    elif _is_model(text):
        yield Version(f"the model {path.name}", str(path.resolve()) if path.is_dir() else text)
    else:
        commit = _commit(text)
        with tempfile.TemporaryDirectory(prefix="tripoint-") as folder:
            _extract(commit, Path(folder))
            yield Version(f"commit {commit[:12]}", model, code=Path(folder))


def _is_model(text: str) -> bool:
    from adapters.bundle import model_lookup
    from adapters.bundle.model_lookup import RegistryError

    try:
        model_lookup.find(text)
    except RegistryError:
        return False
    return True


def _commit(text: str) -> str:
    """The commit that `text` names in the repository of this project. Raises UsageError."""
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{text}^{{commit}}")
    if found.returncode:
        raise click.UsageError(
            f"--against {text!r} is no bundle (a folder or a zip file), no model that `tripoint model list` shows, "
            "and no commit of this project: give one of them, such as HEAD~1"
        )
    return found.stdout.decode().strip()


def _extract(commit: str, folder: Path) -> None:
    """Unpack the files of a commit into `folder`."""
    archive = folder / "tree.zip"
    found = _git("archive", "--format=zip", f"--output={archive}", commit)
    if found.returncode:
        raise click.UsageError(f"git cannot read commit {commit}: {found.stderr.decode(errors='replace').strip()}")
    with zipfile.ZipFile(archive) as tree:
        tree.extractall(folder)
    archive.unlink()


def _git(*words: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(_ROOT), *words], capture_output=True, check=False)
    except OSError as error:
        raise click.UsageError(f"--against a commit needs git, which does not start: {error}") from error
