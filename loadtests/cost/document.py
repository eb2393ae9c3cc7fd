"""Write the answer to a question as a JSON document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from loadtests.cost.break_even import BreakEven, cheapest_by_volume, order_changes
from loadtests.cost.comparison import quota_sentences
from loadtests.cost.statement import plain

if TYPE_CHECKING:
    from loadtests.cost.bill import Bill
    from loadtests.cost.comparison import CostComparison, PlanCandidate, PlanOffer
    from loadtests.cost.question import CostQuestion

VERSION = 1


def cost_functions(comparison: CostComparison, *, free: bool) -> Mapping[str, Callable[[Decimal], Decimal]]:
    """For each offer by name: monthly cost as a function of requests a month."""
    return {
        offer.candidate.name: _cost(offer.candidate, comparison.question, free=free) for offer in comparison.offers
    }


def document(comparison: CostComparison, *, free: bool) -> dict[str, Any]:
    """Everything that was asked, found and assumed; money in USD as strings, exact."""
    question = comparison.question
    return {
        "schema": VERSION,
        "question": {name: _plain(getattr(question, name)) for name in question.__dataclass_fields__},
        "sorted_by": "usd_per_month with the free grant" if free else "usd_per_month without the free grant",
        "assumptions": list(question.assumptions()),
        "plans": [_offer(offer) for offer in comparison.offers],
        "impossible": [{"plan": way.name, "reason": reason} for way, reason in comparison.impossible],
        "quotas": list(quota_sentences(comparison)),
        "break_even": {
            "with_free_grant": _changes(cost_functions(comparison, free=True)),
            "without_free_grant": _changes(cost_functions(comparison, free=False)),
        },
    }


def _cost(candidate: PlanCandidate, question: CostQuestion, *, free: bool) -> Callable[[Decimal], Decimal]:
    @cache
    def usd(requests: Decimal) -> Decimal:
        return candidate.usd(question.at(requests), free=free)

    return usd


def _offer(offer: PlanOffer) -> dict[str, Any]:
    plan, paid = offer.candidate.plan, offer.without_grant
    return {
        "cloud": plan.cloud,
        "plan": plan.name,
        "architecture": offer.candidate.architecture,
        "region": paid.region,
        "prices_of": paid.prices_of,
        "rules": {"source": plan.source, "read": plan.read},
        "with_free_grant": _bill(offer.with_grant),
        "without_free_grant": _bill(paid),
        "assumptions": list(paid.assumptions),
    }


def _bill(bill: Bill) -> dict[str, Any]:
    used = [line for line in bill.lines if line.quantity]
    lines = [_record(line) | {"parts": [_record(part) for part in line.parts]} for line in used]
    return {"usd_per_month": plain(bill.usd), "usd_per_million": plain(bill.usd_per_million), "lines": lines}


def _record(record: Any) -> dict[str, Any]:
    names = (name for name in record.__dataclass_fields__ if name != "parts")
    return {name: _plain(getattr(record, name)) for name in names}


def _changes(costs: Mapping[str, Callable[[Decimal], Decimal]]) -> dict[str, Any]:
    cheapest, order = cheapest_by_volume(costs), order_changes(costs)
    return {"cheapest_from": [_change(each) for each in cheapest], "order_changes": [_change(each) for each in order]}


def _change(change: BreakEven) -> dict[str, Any]:
    return {"requests_per_month": round(change.requests), "cheaper": change.cheaper, "dearer": change.dearer}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    return value if isinstance(value, int | str) or value is None else str(value)
