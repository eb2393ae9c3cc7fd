"""`tripoint model show`: what a model's manifest says, and whether its files are still those."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from adapters.bundle.model_lookup import Entry

_LABELS_SHOWN = 12


@click.command(epilog="Example: tripoint model show clothes")
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="The manifest, and whether each file is intact.")
def command(model: str, as_json: bool) -> None:
    """Show MODEL: labels, input, files with their checksums, where it comes from."""
    from adapters.bundle import model_lookup
    from model.registry import model_folder

    folder = model_lookup.find(model)
    found = model_lookup.Entry(folder.name, folder, built_in=folder.parent == model_lookup.BUILT_IN)
    document, intact = found.document(), model_folder.intact(found)
    if as_json:
        whole = {"name": found.name, "folder": str(found.folder), "built_in": found.built_in, "intact": intact}
        click.echo(json.dumps({**whole, "manifest": document}, ensure_ascii=False))
    else:
        click.echo("\n".join(_lines(found, document, intact)))
    if not all(intact.values()):
        raise SystemExit(1)


def _lines(found: Entry, document: dict[str, Any], intact: dict[str, bool]) -> list[str]:
    size, labels = document["input"], [str(each) for each in document["labels"]]
    more = f" and {len(labels) - _LABELS_SHOWN} more" if len(labels) > _LABELS_SHOWN else ""
    lines = [
        f"{found.name}: {document.get('title', found.name)}, version {document.get('version', '?')}",
        f"  {'built in' if found.built_in else 'yours'}, in {found.folder}",
        f"  {len(labels)} labels: {', '.join(labels[:_LABELS_SHOWN])}{more}",
        f"  input: {', '.join(f'{key} {value}' for key, value in size.items())}",
        f"  output: {document.get('output')}",
    ]
    for variant in document["variants"]:
        state = "intact" if intact[str(variant["file"])] else "NOT the file of the manifest, or missing"
        lines.append(f"  {variant['name']}: {variant['file']}, {state}, sha256 {variant['sha256']}")
        lines.append(
            f"    {variant['input_dtype']} input, {variant['preprocessing']}, for {', '.join(variant['runtimes'])}"
        )
    for key in ("licence", "source"):
        value = document.get(key)
        if value:
            text = ", ".join(f"{name} {each}" for name, each in value.items()) if isinstance(value, dict) else value
            lines.append(f"  {key}: {text}")
    return lines
