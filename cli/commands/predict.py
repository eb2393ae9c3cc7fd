"""`tripoint predict`: classify photographs or feature vectors here, with the core that every cloud runs."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import cast

import click

_EPILOG = "Example: tripoint predict model/samples/*.jpg --top-k 3"


@click.command(epilog=_EPILOG)
@click.argument("images", metavar="FILES...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", help="A model's name, or a folder with a manifest.json.  [default: clothes]")
@click.option(
    "--runtime", help="litert-direct, litert, tflite-runtime, onnxruntime or xgboost.  [default: the best one here]"
)
@click.option("--top-k", default=3, show_default=True, help="How many labels to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON answer per line, as the clouds give it.")
def command(images: tuple[Path, ...], model: str | None, runtime: str | None, top_k: int, as_json: bool) -> None:
    """Classify FILES here, without any cloud: photographs, or JSON with `features` for a model of feature vectors."""
    from adapters.bundle import model_lookup
    from core.service import Service
    from core.wire import Request

    names = (model or os.environ.get("TRIPOINT_MODEL") or "clothes").split(",")
    folders = ",".join(str(model_lookup.find(name.strip())) for name in names)
    chosen = {"TRIPOINT_MODEL": folders, "TRIPOINT_RUNTIME": runtime}
    environ = {**os.environ, "TRIPOINT_LOG_LEVEL": os.environ.get("TRIPOINT_LOG_LEVEL", "error")}
    service = Service.from_env({**environ, **{name: value for name, value in chosen.items() if value}})
    failed = False
    for path in images:
        kind = "application/json" if path.suffix.lower() == ".json" else "image/*"
        request = Request("POST", "/classify", {"top_k": str(top_k)}, {"content-type": kind}, _read(path))
        response = service.infer(request)
        failed |= response.status != 200
        if as_json:
            click.echo(json.dumps({"image": str(path), **response.document}))
        else:
            click.echo(f"{path}: {_sentence(response.document)}", err=response.status != 200)
    if failed:
        sys.exit(1)


def _read(path: Path) -> bytes:
    if not path.is_file():
        raise click.UsageError(f"{path} is not a file; give photographs such as model/samples/*.jpg")
    return path.read_bytes()


def _sentence(document: dict[str, object]) -> str:
    if "error" in document:
        return str(cast("dict[str, object]", document["error"])["message"])
    predictions = cast("list[dict[str, object]]", document["predictions"])
    return ", ".join(f"{entry['label']} {entry['score']:.3f}" for entry in predictions)
