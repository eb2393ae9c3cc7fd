"""Compute what a month costs at every step of the page's slider, and where the order changes. Pure.

Each figure is a whole bill of `loadtests.cost`, with its tiers, minimums and free grants: the page looks it up, it
does not calculate.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

from loadtests.cost.break_even import BreakEven, cheapest_by_volume, order_changes, volumes
from loadtests.cost.measured import DEFAULT_VOLUME, costing_of

if TYPE_CHECKING:
    from loadtests.cost.bill import Bill
    from loadtests.plan.targets import Target
    from loadtests.report.sections.context import ReportContext
    from loadtests.report.sections.palette import TargetStyle

_OTHER_DASH = (1, 4)


@dataclass(frozen=True, slots=True)
class MonthlyCosts:
    """The bills of each target by name, as functions of the volume and of whether the free grant is used.

    A plan whose rules can be read in two ways has a second entry, named by `reading_name`. `styles` are the looks of
    all entries. `unknown` says why, for the targets that cannot be costed.
    """

    bills: Mapping[str, Callable[[Decimal, bool], Bill]]
    unknown: Mapping[str, str]
    styles: tuple[TargetStyle, ...] = ()

    def costs(self, *, free: bool) -> dict[str, Callable[[Decimal], Decimal]]:
        """USD a month as functions of the volume."""
        return {name: _usd(each, free=free) for name, each in self.bills.items()}

    def leaders(self, *, free: bool) -> tuple[BreakEven, ...]:
        """The cheapest target at the lowest volume, and each volume from which another one is."""
        return cheapest_by_volume(self.costs(free=free)) if self.bills else ()

    def changes(self, *, free: bool) -> tuple[BreakEven, ...]:
        """Every volume at which two targets change places."""
        return order_changes(self.costs(free=free))


def months(context: ReportContext) -> MonthlyCosts:
    """The bills of a run's targets."""
    bills: dict[str, Callable[[Decimal, bool], Bill]] = {}
    unknown: dict[str, str] = {}
    styles: list[TargetStyle] = []
    for style, part, _ in context.each():
        target = part.target
        try:
            bills[target.name] = _bills(context, target)
            styles.append(style)
            if part.cost is not None and part.cost.reading is not None:
                name = reading_name(target.name, part.cost.reading.plan)
                bills[name] = _bills(context, replace(target, plan=part.cost.reading.plan))
                styles.append(replace(style, name=name, label=name, dash=_OTHER_DASH))
        except (LookupError, ValueError) as error:
            unknown[target.name] = str(error)
    return MonthlyCosts(bills, unknown, tuple(styles))


def reading_name(target: str, plan: str) -> str:
    """The name of a target's costs under another reading of its plan's rules."""
    return f"{target}, {plan}"


def _bills(context: ReportContext, target: Target) -> Callable[[Decimal, bool], Bill]:
    costing = costing_of(target, context.samples.get(target.name, ()), context.book)
    costing.month(DEFAULT_VOLUME, free=False)  # a size or price that the plan lacks shows here, not in a chart

    @cache
    def bill(volume: Decimal, free: bool) -> Bill:
        return costing.month(volume, free=free)

    return bill


def _usd(bill: Callable[[Decimal, bool], Bill], *, free: bool) -> Callable[[Decimal], Decimal]:
    return lambda volume: bill(volume, free).usd


def steps() -> tuple[Decimal, ...]:
    """The volumes of the slider, in requests a month."""
    return volumes()


def step_of(volume: Decimal) -> int:
    """The step nearest to a volume, by ratio."""
    return min(range(len(steps())), key=lambda place: abs(steps()[place].ln() - volume.ln()))


def volume_text(requests: Decimal) -> str:
    """`5.62 million`: a volume in words, three digits."""
    for size, word in ((10**9, "billion"), (10**6, "million"), (10**3, "thousand")):
        if requests * 1000 >= size * 999:
            return f"{float(requests / size):.3g} {word}"
    return f"{float(requests):.3g}"
