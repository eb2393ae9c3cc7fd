"""`tripoint model evaluate`: what each variant of a model is worth, and what it costs."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

    from model.evaluation.evaluation import Asked, Evaluation

_EPILOG = "Example: tripoint model evaluate clothes --data photos"
_WIDE = 190  # columns of a terminal that hold the table with all intervals
_NARROW = ("variant", "runtime", "MB", "accuracy", "request ms", "start ms", "USD/1M", "best")
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(epilog=_EPILOG)
@click.argument("models", metavar="MODEL...", nargs=-1, required=True)
@click.option(
    "--data", type=_FOLDER, required=True, help="Class folders of photographs, or a folder with validation/."
)
@click.option("--variant", "variants", multiple=True, help="Only this variant. May be repeated.")
@click.option("--runtime", "runtimes", multiple=True, help="Only this runtime. May be repeated.")
@click.option("--photos", type=click.IntRange(min=1), help="At most so many, at random.  [default: all]")
@click.option("--starts", type=click.IntRange(min=0), default=9, show_default=True, help="Fresh starts of each.")
@click.option("--plan", default="aws/on-demand", show_default=True, help="Where requests are bought: CLOUD/PLAN.")
@click.option("--memory-mb", type=int, default=1769, show_default=True, help="Memory bought, and with it CPU.")
@click.option("--requests", default="10M/month", show_default=True, help="Such as 300k/day or 5/s.")
@click.option("--cold-share", default="1%", show_default=True, help="Share of requests that start cold.")
@click.option("--seed", type=int, help="Decides the order, and which photographs.  [default: the same every time]")
@click.option("--out", type=click.Path(path_type=Path), help="[default: build/evaluation/MODEL]")
@click.option("--page", type=_FILE, help="A Markdown page whose marks get the table and the pictures, too.")
@click.option("--json", "as_json", is_flag=True, help="Print evaluation.json instead of the table.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**options: Any) -> None:
    """Measure every variant of MODEL on every runtime here, each in a process of its own, side by side.

    Accuracy by class, confusion, calibration; latency, start-up, size, peak memory; cost per million requests, and
    the frontier of the three. Several models of one task are compared. Ctrl-C ends it and writes nothing.
    """
    from cli.framework.progress import Display
    from cli.framework.refusal import CommandRefused
    from core.errors import ModelError
    from model.evaluation import output
    from model.evaluation.evaluation import evaluate
    from model.training.dataset import DatasetError

    if options["page"]:
        output.check_page(options["page"])
    try:
        wanted = _evaluation(options)
        with Display(quiet=options["quiet"]) as display:
            found = evaluate(wanted, told=display.show)
    except (DatasetError, ModelError) as error:
        raise CommandRefused(str(error)) from error
    out = options["out"] or Path("build", "evaluation", found.preferred.subject.model)
    output.write(found, out)
    if options["page"]:
        output.update_page(found, options["page"])
    _print(found, out, as_json=options["as_json"])


def _evaluation(options: dict[str, Any]) -> Asked:
    from adapters.bundle.errors import BundleError
    from adapters.bundle.layout import model_folder
    from model.evaluation.evaluation import SEED, Asked
    from model.evaluation.price import offer

    try:
        folders = tuple(dict.fromkeys(model_folder(name) for name in options["models"]))
    except BundleError as error:
        raise click.UsageError(str(error)) from error
    return Asked(
        folders=folders,
        data=options["data"],
        offer=offer(
            options["plan"], options["memory_mb"], requests=options["requests"], cold_share=options["cold_share"]
        ),
        variants=options["variants"],
        runtimes=options["runtimes"],
        photos=options["photos"],
        starts=options["starts"],
        seed=SEED if options["seed"] is None else options["seed"],
        command=_typed(),
    )


def _typed() -> str:
    """Return the typed command with file names instead of paths, for a page that is published."""
    words = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    return f"tripoint {shlex.join(words)}"


def _print(found: Evaluation, out: Path, *, as_json: bool) -> None:
    from model.evaluation.document import document

    if as_json:
        click.echo(json.dumps(document(found), indent=2, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    from model.evaluation.report import heading, notes, share
    from model.training.card import mistakes

    console = Console(highlight=False)
    console.print(heading(found).replace("`", ""), markup=False)
    console.print(_rows(found, console.width))
    classes = Table("class", "photographs", "found", "precision", title=found.preferred.subject.name, box=None)
    for each in found.preferred.classes(found.labels):
        precision = "-" if each.precision is None else f"{each.precision:.2f}"
        classes.add_row(each.label, str(each.photos), share(each.recall), precision)
    console.print(classes)
    console.print(f"Most frequent mistakes: {mistakes(found.preferred.counts.tolist(), list(found.labels))}.")
    for line in notes(found):
        console.print(line.replace("`", "").replace("\\*", "*"), markup=False)
    console.print(f"\nWritten to {out}: report.md, evaluation.json, answers.jsonl.gz, frontier.svg, confusion.svg")


def _rows(found: Evaluation, width: int) -> Table:
    """Return the table's rows: with all intervals on a wide terminal, else the most important columns."""
    from rich.table import Table

    from model.evaluation.report import COLUMNS, cells, several

    wide = width >= _WIDE
    chosen = [place for place, name in enumerate(COLUMNS) if wide or name in _NARROW]
    table = Table(box=None, pad_edge=False)
    for place in chosen:
        table.add_column(COLUMNS[place], no_wrap=True)
    for row, ratio in zip(found.rows, found.ratios, strict=True):
        every = cells(row, ratio, several_models=several(found), intervals=wide)
        table.add_row(*(every[place] for place in chosen))
    return table
