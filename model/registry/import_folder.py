"""Register a folder that has a manifest already, from `tripoint model convert` or written by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from core import manifest, runtime
from core.errors import ModelError
from model.registry import model_folder, trial
from model.registry.registration import ModelCandidate


def is_model(folder: Path) -> bool:
    """Whether a folder holds a manifest."""
    return (folder / model_lookup.MANIFEST).is_file()


def adopt(source: Path, folder: Path, *, name: str | None, images: Sequence[Path]) -> ModelCandidate:
    """Copy the model in `source` into `folder` and try it, on `images` where it takes images.

    Raises RegistryError when its manifest is wrong, a file is missing or another one, or no runtime here opens it.
    """
    try:
        loaded = manifest.load(source)
        document: dict[str, Any] = json.loads((source / model_lookup.MANIFEST).read_text(encoding="utf-8"))
        for variant in loaded.variants:
            shutil.copyfile(variant.file, folder / variant.file.name)
    except (ModelError, OSError) as error:
        raise RegistryError(f"the model in {source} cannot be taken over: {error}") from error
    if (source / "samples").is_dir():
        shutil.copytree(source / "samples", folder / "samples")
    document["name"] = model_lookup.check_name(name or loaded.name)
    model_folder.write(document, folder)
    shown = [] if loaded.features else images
    trials = tuple(trial.try_on(folder, each, shown) for each in runtime.usable(runtime.named_by(loaded)))
    if not any(each.failure is None for each in trials):
        reasons = "; ".join(f"{each.runtime}: {each.failure}" for each in trials)
        raise RegistryError(
            f"the model in {source} runs on none of its runtimes here: {reasons or 'none is installed'}"
        )
    return ModelCandidate(document["name"], folder, document, trials)
