"""Build the bundle of a specification once for each of its contents: `deploy` sends it."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.bundle import archive, build, bytecode, cache, layout, preflight, slimming

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle, BundleSpec


def build_cached(order: BundleSpec) -> Bundle:
    """Return the bundle of `order`, building it where its inputs have changed. Raises BundleError."""
    build.refuse(order, build.check_order(order))
    folder = cache.folder_for("built", key(order), lambda made: _build(order, made))
    sheet = json.loads((folder / "sheet.json").read_text("utf-8"))
    findings = tuple(preflight.BundleFinding(**each) for each in sheet.pop("findings"))
    paths = {name: folder / sheet.pop(name) for name in ("folder", "archive")}
    return build.Bundle(findings=findings, **paths, **sheet)


def key(order: BundleSpec) -> str:
    """A key over everything that decides the bytes of a bundle."""
    with tempfile.TemporaryDirectory() as folder:
        layout.lay_out_code(order.cloud, Path(folder))
        layout.copy_model(order.model, Path(folder, "model"), variant=order.variant)
        ours = archive.digest(Path(folder))
    pins = build.pins(order)
    compiler = bytecode.interpreter(order.target.python)
    digest = hashlib.sha256(f"1 {ours} {order.target} {order.runtime} {pins} {compiler}".encode())
    digest.update(slimming.RULES.read_bytes())
    return digest.hexdigest()[:32]


def _build(order: BundleSpec, folder: Path) -> None:
    built = build.build(order, out=folder)
    sheet = dataclasses.asdict(built) | {"folder": built.folder.name, "archive": built.archive.name}
    (folder / "sheet.json").write_text(json.dumps(sheet), "utf-8")
