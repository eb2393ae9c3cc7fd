"""`tripoint model optimise`: what each way to a smaller or faster model gains and loses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from model.optimise.steps import Line, OptimisationPlan

_EPILOG = "Example: tripoint model optimise clothes --data photos --steps quantise --out small"
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)


@click.command(epilog=_EPILOG)
@click.argument("source", metavar="MODEL")
@click.option("--data", type=_FOLDER, required=True, help="A folder with train/ and validation/ of class folders.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The folder for the models of all steps.")
@click.option("--steps", default="quantise", show_default=True, help="Some of quantise,prune,distil.")
@click.option("--preprocessing", type=click.Choice(["tf", "caffe", "torch", "raw"]), help="Of a Keras file.")
@click.option("--epochs", type=click.IntRange(min=1), default=3, show_default=True, help="Of prune, and of distil.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), default=1e-4, show_default=True, help="Peak rate."
)
@click.option(
    "--sparsity", type=click.FloatRange(0, 0.99), default=0.5, show_default=True, help="Weights pruned away."
)
@click.option("--student-size", type=click.IntRange(min=32), default=160, show_default=True, help="Input side, px.")
@click.option("--photos", type=click.IntRange(min=1), help="Measure on at most so many.  [default: all]")
@click.option("--seed", default=1, show_default=True)
@click.option("--replace", is_flag=True, help="Replace older folders of the steps.")
@click.option("--json", "as_json", is_flag=True, help="The table as JSON.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**options: Any) -> None:
    """Quantise, prune or distil MODEL (a name, a folder, a Keras file) and measure each result on photographs.

    Prune and distil train (extra `convert`, minutes an epoch) and need a Keras file, the built-in model, or one of
    `tripoint model train`. Gained and lost count photographs that became right, and wrong.
    """
    from cli.framework.progress import Display
    from cli.framework.refusal import CommandRefused
    from core.errors import ModelError
    from model.convert.errors import ConvertError
    from model.optimise.steps import optimise
    from model.training.dataset import DatasetError

    try:
        plan = _plan(options)
        with Display(quiet=options["quiet"]) as display:
            _, lines = optimise(plan, told=display.show)
    except (ConvertError, DatasetError, ModelError) as error:
        raise CommandRefused(str(error)) from error
    _print(lines, plan, as_json=options["as_json"])


def _plan(options: dict[str, Any]) -> OptimisationPlan:
    from dataclasses import replace

    from cli.commands.model.convert import known_source
    from model.evaluation.price import offer
    from model.optimise.steps import OptimisationPlan
    from model.optimise.tuning import Tuning

    known = known_source(options["source"])
    mode = options["preprocessing"] or known.preprocessing
    if not mode:
        raise click.UsageError(f"how {known.file.name} wants its pixels is not in the file: give --preprocessing")
    return OptimisationPlan(
        known=replace(known, preprocessing=mode),
        data=options["data"],
        out=options["out"],
        offer=offer("aws/on-demand", 1769, requests="10M/month", cold_share="1%"),
        tuning=Tuning(epochs=options["epochs"], rate=options["rate"], seed=options["seed"]),
        steps=tuple(part.strip() for part in options["steps"].split(",") if part.strip()),
        sparsity=options["sparsity"],
        student_size=options["student_size"],
        photos=options["photos"],
        replace=options["replace"],
    )


def _print(lines: Sequence[Line], plan: OptimisationPlan, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_document(line, lines[0]) for line in lines], indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("step", "variant", "MB", "zipped", "accuracy", "gained", "lost", "", "ms", box=None, pad_edge=False)
    for line in lines:
        row, differs = line.row, line.change
        table.add_row(
            row.subject.model,
            row.subject.variant,
            f"{row.size_bytes / 1e6:.2f}",
            f"{line.zipped_bytes / 1e6:.2f}",
            f"{row.accuracy.value:.3f}",
            *(("", "", "") if line is lines[0] else (str(differs.gained), str(differs.lost), differs.words)),
            "-" if row.inference_ms.value is None else f"{row.inference_ms.value:.2f}",
        )
    console = Console(highlight=False)
    console.print(table)
    first = lines[0].row.accuracy
    console.print(
        f"\n{first.n} photographs; the original's accuracy is {first.value:.3f} ({first.lo:.3f} to {first.hi:.3f}). "
        "ms: inference, median, on litert. gained, lost: photographs that became right, wrong; "
        '"alike": no change that McNemar\'s exact test shows at 5 %.'
    )
    console.print(f"Each step is a model's folder in {plan.out}, for --model.")


def _document(line: Line, first: Line) -> dict[str, Any]:
    row = line.row
    return {
        "step": row.subject.model,
        "variant": row.subject.variant,
        "size_bytes": row.size_bytes,
        "zipped_bytes": line.zipped_bytes,
        "accuracy": row.accuracy.value,
        "accuracy_change": row.accuracy.value - first.row.accuracy.value,
        "gained": line.change.gained,
        "lost": line.change.lost,
        "photographs": line.change.n,
        "mcnemar_p": line.change.p,
        "inference_ms": row.inference_ms.value,
    }
