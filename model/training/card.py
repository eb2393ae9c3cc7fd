"""Write the measured figures into a model's card: `python -m model.training.card model/clothes`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

START, END = "<!-- measured: python -m model.training.card -->\n", "<!-- end of measured -->"
# A pair of classes is worth naming from this many photographs on.
NOTABLE = 2


def figures(manifest: Mapping[str, Any], evaluation: Mapping[str, Any]) -> str:
    """Return the Markdown of the measured part: variants, classes of the preferred one, its usual mistakes."""
    lines = ["| file | bytes | accuracy | 95 % interval |", "|---|---|---|---|"]
    for variant in manifest["variants"]:
        found = evaluation[variant["name"]]["accuracy"]
        interval = f"{found['lo']:.3f} to {found['hi']:.3f}"
        lines.append(f"| {variant['file']} | {variant['bytes']:,} | {found['value']:.3f} | {interval} |")
    preferred = evaluation[manifest["variants"][0]["name"]]
    lines += ["", "| class | photos | found | precision |", "|---|---|---|---|"]
    for row in preferred["by_class"]:
        precision = "-" if row["precision"] is None else f"{row['precision']:.2f}"
        lines.append(f"| {row['label']} | {row['photos']} | {row['recall']['value']:.2f} | {precision} |")
    lines += ["", f"Most frequent mistakes: {mistakes(preferred['confusion'], evaluation['labels'])}."]
    return "\n".join(lines) + "\n"


def mistakes(confusion: list[list[int]], labels: list[str]) -> str:
    """Return the confused pairs, the most frequent first: "shirt taken for longsleeve (4)"."""
    pairs = [
        (count, f"{labels[true]} taken for {labels[found]} ({count})")
        for true, row in enumerate(confusion)
        for found, count in enumerate(row)
        if true != found and count >= NOTABLE
    ]
    return ", ".join(text for _, text in sorted(pairs, key=lambda pair: (-pair[0], pair[1]))) or "none twice"


def update(card: str, measured: str) -> str:
    """Return `card` with the part between the markers replaced. Raises ValueError where a marker is missing."""
    if START not in card or END not in card:
        raise ValueError(f"the card has no place for figures: expected a line {START.strip()} and a line {END}")
    before, rest = card.split(START, 1)
    return before + START + measured + END + rest.split(END, 1)[1]


def main(arguments: list[str]) -> int:
    """Rewrite `README.md` of the model folder named."""
    folder = Path(arguments[0])
    read = [json.loads((folder / name).read_text(encoding="utf-8")) for name in ("manifest.json", "evaluation.json")]
    card = folder / "README.md"
    card.write_text(update(card.read_text(encoding="utf-8"), figures(*read)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
