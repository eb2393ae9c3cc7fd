"""What ships: the files of one function, laid out as the cloud wants them.

A bundle is `core/`, one cloud's entry and `translate.py`, and one model; `cloud.toml` lists it:

    [bundle]
    files = ["core", "adapters/__init__.py", "adapters/gcp/main.py", …]   # relative to the repository
    [bundle.root]                                                       # copies at the bundle's root
    "main.py" = "adapters/gcp/main.py"
"""

from __future__ import annotations

import compileall
import json
import py_compile
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import adapters

if TYPE_CHECKING:
    from adapters.contract import Cloud

REPOSITORY = Path(adapters.__file__).resolve().parent.parent
_SKIP = shutil.ignore_patterns("__pycache__", "*.pyc")


class BundleError(Exception):
    """A bundle that cannot be made; the message names the file or model and the next step."""


def assemble(cloud: Cloud, *, folder: Path, model: str = "clothes") -> Path:
    """Lay out the bundle of `cloud` with `model` in `folder`, byte-compiled, and return `folder`.

    `model` is a name below `model/` or a folder with a `manifest.json`.
    """
    listing = cloud.data["bundle"]
    for name in listing["files"]:
        _copy(_source(cloud, name), folder / name)
    for name, source in listing.get("root", {}).items():
        _copy(_source(cloud, source), folder / name)
    _copy_model(model, folder / "model")
    _compile(folder)
    return folder


def _source(cloud: Cloud, name: str) -> Path:
    """Find a listed file in the repository, or beside a cloud's folder that lies elsewhere."""
    for root in (REPOSITORY, cloud.folder.parent.parent):
        if (root / name).exists():
            return root / name
    raise BundleError(f"{cloud.folder / 'cloud.toml'}: [bundle] lists {name!r}, which does not exist")


def _copy(source: Path, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, destination, ignore=_SKIP, dirs_exist_ok=True)
    else:
        shutil.copy2(source, destination)


def model_folder(model: str) -> Path:
    """Find a model by name or folder. Raises BundleError naming the known models."""
    for folder in (Path(model), REPOSITORY / "model" / model):
        if (folder / "manifest.json").is_file():
            return folder.resolve()
    known = sorted(path.parent.name for path in (REPOSITORY / "model").glob("*/manifest.json"))
    raise BundleError(f"unknown model {model!r}: expected a folder with a manifest.json, or one of {known}")


def _copy_model(model: str, destination: Path) -> None:
    source = model_folder(model)
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    target = destination / str(manifest["name"])
    target.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source / "manifest.json", target)
    for variant in manifest["variants"]:
        shutil.copy2(source / str(variant["file"]), target)


def _compile(folder: Path) -> None:
    """Write .pyc files that are never checked against their source; a cold start without them takes twice as long."""
    done = compileall.compile_dir(
        folder, quiet=1, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, stripdir=str(folder)
    )
    if not done:
        raise BundleError(f"{folder}: not every file compiles; run `make check`")
