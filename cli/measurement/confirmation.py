"""Show what a run on real clouds will cost, and ask for consent before anything is sent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from loadtests.plan.phases import Phase
    from loadtests.plan.targets import Target


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """The load of each target: `tries` requests before the run, then `phases`. `bound`: it is an upper limit."""

    phases: Sequence[Phase]
    tries: int = 0
    bound: bool = False

    @property
    def renewals(self) -> int:
        """How often all instances of a target are replaced, including once during its tries."""
        from loadtests.plan.phases import Forced

        return sum(phase.rounds for phase in self.phases if isinstance(phase, Forced)) + bool(self.tries)


def confirm_cost(
    targets: Sequence[Target],
    load: PlannedLoad,
    *,
    budget_usd: Decimal | None,
    standing_usd: Decimal,
    yes: bool,
    question: str,
) -> Decimal | None:
    """Show the estimate and ask; return what the budget leaves for requests. Raises CommandRefused, Abort.

    `standing_usd` is the most that always-on instances cost, with or without requests. `yes` leaves out the question.
    """
    log(f"cost    {_estimate(targets, load, budget_usd=budget_usd)}")
    if standing_usd:
        log(f"cost    {standing_usd:.4f} USD at most for always-on instances until the time to live ends")
    left_usd = None if budget_usd is None else budget_usd - standing_usd
    if left_usd is None:
        log("budget  none: --budget USD ends the run before it costs more")
    elif left_usd <= 0:
        raise CommandRefused(
            f"--budget {budget_usd}: always-on instances alone would cost that much. Raise the budget, shorten"
            " --hours, or lower reserved_instances (maximum_instances where the plan bills an instance's whole life)."
        )
    else:
        log(f"budget  {budget_usd} USD: the run ends before it could cost more")
    if not yes:
        if not sys.stdin.isatty():
            raise CommandRefused("this costs money, and there is no terminal to ask on: add --yes")
        click.confirm(question, abort=True, err=True)
    return left_usd


def _estimate(targets: Sequence[Target], load: PlannedLoad, *, budget_usd: Decimal | None) -> str:
    """Return the estimate as a sentence. Raises BudgetError for a target without a price when there is a budget."""
    from loadtests.cost.budget import BudgetError
    from loadtests.cost.forecast import forecast
    from loadtests.prices.library import open_book

    try:
        sentence = forecast(targets, load.phases, open_book(), tries=load.tries).sentence()
    except BudgetError as error:
        if budget_usd is not None:
            raise
        return f"unknown: {error}"
    return f"at most {sentence}" if load.bound else sentence


def log(line: str) -> None:
    """Print a line on standard error: standard output is for the result."""
    click.echo(line, err=True)
