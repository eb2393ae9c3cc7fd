"""What real clouds will cost, shown and agreed to before anything is sent."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from cli.framework.refusal import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from loadtests.plan.phases import Phase
    from loadtests.plan.targets import Target


@dataclass(frozen=True, slots=True)
class PlannedLoad:
    """What each target is sent: `phases`, after `tries` requests before the run; at most that where `bound`."""

    phases: Sequence[Phase]
    tries: int = 0
    bound: bool = False

    @property
    def renewals(self) -> int:
        """How often all instances of a target are replaced, once among its tries."""
        from loadtests.plan.phases import Forced

        return sum(phase.rounds for phase in self.phases if isinstance(phase, Forced)) + bool(self.tries)


def confirm_cost(
    asked: dict[str, Any], targets: Sequence[Target], sending: PlannedLoad, *, standing_usd: Decimal, question: str
) -> Decimal | None:
    """Show the estimate and ask; returns what the budget leaves for requests. Raises Refusal, Abort.

    `standing_usd` is what instances that stand cost at most, with or without requests.
    """
    log(f"cost    {_estimate(asked, targets, sending)}")
    if standing_usd:
        log(f"cost    {standing_usd:.4f} USD at most for instances that stand until the time to live is over")
    left_usd = None if asked["budget"] is None else Decimal(str(asked["budget"])) - standing_usd
    if left_usd is None:
        log("budget  none: --budget USD ends the run before it is passed")
    elif left_usd <= 0:
        raise CommandRefused(
            f"--budget {asked['budget']} is used up by instances that stand: give more, shorten --hours, or lower"
            " reserved_instances (maximum_instances where the plan bills their whole life)"
        )
    else:
        log(f"budget  {asked['budget']} USD: the run ends before it could be passed")
    if not asked["yes"]:
        if not sys.stdin.isatty():
            raise CommandRefused("this costs money, and nobody is there to be asked: add --yes")
        click.confirm(question, abort=True, err=True)
    return left_usd


def _estimate(asked: dict[str, Any], targets: Sequence[Target], sending: PlannedLoad) -> str:
    """In words; a target without a price is only an obstacle to a budget."""
    from loadtests.cost.budget import BudgetError
    from loadtests.cost.forecast import forecast
    from loadtests.prices.library import open_book

    try:
        sentence = forecast(targets, sending.phases, open_book(), tries=sending.tries).sentence()
    except BudgetError as error:
        if asked["budget"] is not None:
            raise
        return f"unknown: {error}"
    return f"at most {sentence}" if sending.bound else sentence


def log(line: str) -> None:
    """On standard error: standard output is for the result."""
    click.echo(line, err=True)
