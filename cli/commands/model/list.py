"""`tripoint model list`: the models that commands know by name."""

from __future__ import annotations

import json

import click


@click.command(epilog="Example: tripoint model list --json")
@click.option("--json", "as_json", is_flag=True, help="One JSON document per model.")
def command(as_json: bool) -> None:
    """List the models: built in, and registered by you."""
    from adapters.bundle import model_lookup
    from model.registry import model_folder

    found = [model_folder.summary(each) for each in model_lookup.entries()]
    if as_json:
        for each in found:
            click.echo(json.dumps(each, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False)
    for heading in ("name", "labels", "input", "variants", "MB", ""):
        drawn.add_column(heading, justify="right" if heading in ("labels", "MB") else "left", overflow="fold")
    for each in found:
        origin = "built in" if each["built_in"] else "yours"
        if "problem" in each:
            drawn.add_row(each["name"], "", "", "", "", Text(f"{origin}; {each['problem']}"))
            continue
        size = f"{each['bytes'] / 1e6:.1f}"
        words = str(each["labels"]), each["input"], ", ".join(each["variants"]), size
        drawn.add_row(Text(each["name"]), *words, Text(f"{origin}; {each['title']}"))
    console = Console(highlight=False)
    console.print(drawn)
    console.print(
        f"Yours lie in {model_lookup.registered_folder()}; add one with: tripoint model add FILE", markup=False
    )
