"""`tripoint diff`: did a change make something slower or less reliable? For people and for CI."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from loadtests.analysis.change import Change
    from loadtests.record.run_data import RunData
    from loadtests.report.changes import ChangesFormat

_EPILOG = """
Exit codes: 0 no significant regression beyond the threshold; 1 a regression; 2 the runs cannot be compared.

Examples: tripoint diff runs/before runs/after --threshold 20, and
tripoint diff --before runs/b1 runs/b2 runs/b3 --after runs/a1 runs/a2 runs/a3
"""
_RUN = click.Path(path_type=Path)
_SIDES = ("--before", "--after")


class ManyRuns(click.Command):
    """A command whose --before and --after take all the words up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its words, as click has it."""
        repeated: list[str] = []
        side = ""
        for word in args:
            if word in _SIDES:
                side = word
            elif word.startswith("-"):
                side = ""
                repeated.append(word)
            elif side:
                repeated += [side, word]
            else:
                repeated.append(word)
        return super().parse_args(ctx, repeated)


@click.command(cls=ManyRuns, epilog=_EPILOG)
@click.argument("runs", type=_RUN, nargs=-1)
@click.option("--before", type=_RUN, multiple=True, metavar="RUN...", help="Runs of the version before, any number.")
@click.option("--after", type=_RUN, multiple=True, metavar="RUN...", help="Runs of the version after, any number.")
@click.option("--threshold", type=click.FloatRange(min=0), help="Percent.  [default: 10; of --against 5]")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["text", "json", "md", "github", "junit"]),
    default="text",
    help="Markdown, GitHub annotations, or JUnit XML.  [default: text]",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
def command(
    runs: tuple[Path, ...],
    before: tuple[Path, ...],
    after: tuple[Path, ...],
    threshold: float | None,
    kind: ChangesFormat,
    as_json: bool,
) -> None:
    """Compare runs of the same targets before and after a change: RUNS are one before and one after.

    One run alone is one of `tripoint compare --against`, which holds both versions. Several runs a side, with
    --before and --after, tell smaller changes than one can: how runs of the same thing differ is then known.
    """
    from rich.console import Console

    from loadtests.analysis.change import headline
    from loadtests.analysis.diff import NotComparableRuns
    from loadtests.record.store import StoreError
    from loadtests.report.changes import render_changes
    from loadtests.report.terminal import changes_grid

    try:
        changes, percent, limits, doubted = _changes(runs, before, after, threshold)
    except (StoreError, NotComparableRuns) as error:
        raise CommandRefused(str(error)) from error
    chosen = "json" if as_json else kind
    said = headline(changes, percent / 100)
    if chosen == "text":
        Console().print(changes_grid(changes))
        click.echo("".join(f"{line}\n" for line in (*doubted, limits, said)), nl=False)
    else:
        click.echo(render_changes(changes, chosen, headline=said, limits=limits), nl=False)
    if any(each.regression for each in changes):
        sys.exit(1)


def _changes(
    runs: tuple[Path, ...], before: tuple[Path, ...], after: tuple[Path, ...], threshold: float | None
) -> tuple[Sequence[Change], float, str, Sequence[str]]:
    """Return the changes, the threshold in percent, what the runs can tell, and doubts about the runs."""
    from loadtests.analysis.against import NOTE, changes_against, threshold_of
    from loadtests.analysis.diff import THRESHOLD, diff, limits
    from loadtests.record.run_data import read_run

    if (before or after) and (runs or not (before and after)):
        raise click.UsageError("give two runs, or --before and --after with at least one run each")
    if len(runs) == 1:
        only = read_run(runs[0])
        percent = threshold_of(only.header) * 100 if threshold is None else threshold
        found = changes_against(only.header, only.columns, threshold=percent / 100)
        if found is None:
            raise CommandRefused(
                f"{runs[0]} measured one version: give a second run, or make one with `tripoint compare --against`"
            )
        return found, percent, f"against {only.header[NOTE]}, in the same run", _doubts(runs, [only])
    if not before and len(runs) != 2:
        raise click.UsageError(f"{len(runs)} runs: expected one before and one after, or --before and --after")
    sides = [[read_run(each) for each in side] for side in (before or runs[:1], after or runs[1:])]
    percent = THRESHOLD * 100 if threshold is None else threshold
    found = diff(sides[0], sides[1], threshold=percent / 100)
    doubted = _doubts((*before, *after) or runs, [*sides[0], *sides[1]])
    return found, percent, limits(sides[0], sides[1]), doubted


def _doubts(folders: Sequence[Path], records: Sequence[RunData]) -> list[str]:
    from loadtests.analysis.diff import doubts

    return [
        f"a difference may be the machine's: {folder}: {doubt}"
        for folder, record in zip(folders, records, strict=True)
        for doubt in doubts(record)
    ]
