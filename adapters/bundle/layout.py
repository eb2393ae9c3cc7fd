"""Lay out a bundle: our own code, one model, and the packages that go with them."""

from __future__ import annotations

import json
import shutil
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adapters
from adapters.bundle import bytecode, cache, model_lookup, packages, runtimes
from adapters.bundle.errors import BundleError
from adapters.bundle.model_lookup import RegistryError

if TYPE_CHECKING:
    from adapters.contract import Cloud

REPOSITORY = Path(adapters.__file__).resolve().parent.parent
_SKIP = shutil.ignore_patterns("__pycache__", "*.pyc")


def assemble(cloud: Cloud, *, folder: Path, model: str = "clothes", code: Path | None = None) -> Path:
    """Lay out the bundle of `cloud` for this interpreter in `folder`, byte-compiled, and return `folder`.

    `model` is a name below `model/` or a folder with a `manifest.json`. `code` is a tree of this project, such as an
    earlier version, to take our own files from. The packages are links to files kept in the user's cache folder:
    read them, do not change them.
    """
    lay_out_code(cloud, folder, code=code)
    bytecode.write(folder)
    copy_model(model, folder / "model")
    carried = cloud.data["bundle"].get("packages", ())
    needed = runtimes.local_packages(model_folder(model), carried)
    if carried:
        cache.place(packages.installed(needed), folder)
    return folder


def lay_out_empty(cloud: Cloud, folder: Path) -> Path:
    """Lay out the cloud's empty function in `folder`, byte-compiled, and return `folder`: no model, no packages."""
    listing = cloud.data["bundle"].get("empty")
    if listing is None:
        raise BundleError(f"{cloud.title} has no empty function: {cloud.folder / 'cloud.toml'} lacks [bundle.empty]")
    _copy_listed(cloud, listing, [REPOSITORY, cloud.folder.parent.parent], folder)
    bytecode.write(folder)
    return folder


def unpack(bundle: Path, folder: Path) -> Path:
    """Copy a bundle that was built before, a folder or a zip file, into `folder`, and return `folder`."""
    try:
        if bundle.is_dir():
            shutil.copytree(bundle, folder, dirs_exist_ok=True)
        else:
            shutil.unpack_archive(bundle, folder, "zip")
    except (OSError, shutil.ReadError, zipfile.BadZipFile) as error:
        raise BundleError(f"bundle {str(bundle)!r} cannot be unpacked: {error}; expected a folder or a zip") from None
    return folder


def lay_out_code(cloud: Cloud, folder: Path, *, code: Path | None = None) -> None:
    """Copy our own files that `cloud.toml` lists into `folder`; of the tree `code`, those that its own one lists."""
    listing, roots = cloud.data["bundle"], [REPOSITORY, cloud.folder.parent.parent]
    if code is not None:
        listing, roots = _listing(code / "adapters" / cloud.name / "cloud.toml"), [code]
    _copy_listed(cloud, listing, roots, folder)


def _copy_listed(cloud: Cloud, listing: Mapping[str, Any], roots: Sequence[Path], folder: Path) -> None:
    for name in listing["files"]:
        _copy(_source(cloud, name, roots), folder / name)
    for name, source in listing.get("root", {}).items():
        _copy(_source(cloud, source, roots), folder / name)


def _listing(path: Path) -> Mapping[str, Any]:
    try:
        listing: Mapping[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))["bundle"]
    except (OSError, ValueError, KeyError) as error:
        raise BundleError(f"{path} lists no files of a bundle ({error}): choose a later version") from None
    return listing


def _source(cloud: Cloud, name: str, roots: Sequence[Path]) -> Path:
    """Find a listed file in the repository, or beside a cloud's folder that lies elsewhere."""
    for root in roots:
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
    """Find a model by name or folder (see `model_lookup`). Raises BundleError naming the known models."""
    try:
        return model_lookup.find(model)
    except RegistryError as error:
        raise BundleError(str(error)) from None


def copy_model(model: str, destination: Path, *, variant: str | None = None) -> None:
    """Copy a model's manifest and its variants, or the one named, into a folder of its name below `destination`.

    Raises BundleError naming the variants when there is none of that name.
    """
    source = model_folder(model)
    manifest = json.loads((source / "manifest.json").read_text(encoding="utf-8"))
    target = destination / str(manifest["name"])
    target.mkdir(parents=True, exist_ok=True)
    variants = [entry for entry in manifest["variants"] if variant in (None, entry["name"])]
    if not variants:
        known = ", ".join(str(entry["name"]) for entry in manifest["variants"])
        raise BundleError(f"model {model!r} has no variant {variant!r}: choose one of {known}")
    text = json.dumps({**manifest, "variants": variants}, indent=1, ensure_ascii=False)
    (target / "manifest.json").write_text(text + "\n", encoding="utf-8")
    for entry in variants:
        shutil.copy2(source / str(entry["file"]), target)
