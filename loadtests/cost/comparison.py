"""Compare every plan of every cloud for one question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from adapters import contract
from loadtests.cost.bill import Bill, BillTerms, bill_plan
from loadtests.cost.limits import refusals
from loadtests.cost.plan import Plan
from loadtests.cost.plans import PlanError, load_plans
from loadtests.cost.quotas import quota_notes
from loadtests.prices.rate import PriceError

if TYPE_CHECKING:
    from loadtests.cost.question import CostQuestion
    from loadtests.prices.book import CloudPrices, PriceBook


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """Which plans to compare; empty: all of `kinds`. `regions`: names of regions or areas, each for its cloud."""

    clouds: Sequence[str] = ()
    plans: Sequence[str] = ()
    regions: Sequence[str] = ()
    architectures: Sequence[str] = ()
    kinds: Sequence[str] = ("serverless",)


@dataclass(frozen=True, slots=True)
class PlanCandidate:
    """One way to buy: a plan, an architecture, a region and its prices; `beside`: other regions of its cloud too."""

    plan: Plan
    architecture: str
    region: str
    prices: CloudPrices
    beside: bool = False

    @property
    def name(self) -> str:
        """Names plan, and architecture and region where there are several: `aws/on-demand arm64`."""
        several = len(self.plan.architectures) > 1
        place = f" {self.region}" if self.beside else ""
        return f"{self.plan.cloud}/{self.plan.name}" + (f" {self.architecture}" if several else "") + place

    def bill(self, question: CostQuestion, *, free: bool) -> Bill:
        """A month's bill. Raises ValueError when the plan does not sell what is asked for."""
        terms = BillTerms(self.region, self.architecture, free)
        return bill_plan(self.plan, question.usage(self.plan), terms=terms, prices=self.prices)

    def usd(self, question: CostQuestion, *, free: bool) -> Decimal:
        """What the month costs."""
        return self.bill(question, free=free).usd


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A candidate's bills with and without the free grant."""

    candidate: PlanCandidate
    with_grant: Bill
    without_grant: Bill

    def usd(self, *, free: bool) -> Decimal:
        """The month's cost."""
        return self.with_grant.usd if free else self.without_grant.usd


@dataclass(frozen=True, slots=True)
class CostComparison:
    """Offers, cheapest first, and candidates that cannot serve the question, with the reason."""

    question: CostQuestion
    offers: tuple[PlanOffer, ...]
    impossible: tuple[tuple[PlanCandidate, str], ...]


def candidates(choice: PlanChoice, book: PriceBook) -> tuple[PlanCandidate, ...]:
    """Return all plans, regions and architectures that `choice` leaves.

    Raises PlanError or PriceError, naming the known ones, when nothing is left.
    """
    clouds = tuple(choice.clouds) or tuple(name for name in contract.clouds() if load_plans(name))
    plans = [plan for cloud in clouds for plan in load_plans(cloud)]
    _refuse_unknown(choice, plans)
    places = _places(choice.regions, [book.of(cloud) for cloud in clouds])
    return tuple(
        PlanCandidate(plan, architecture, region, book.of(plan.cloud), len(places[plan.cloud]) > 1)
        for plan in plans
        if plan.name in choice.plans or (not choice.plans and plan.kind in choice.kinds)
        for region in places[plan.cloud]
        for architecture in plan.architectures
        if not choice.architectures or architecture in choice.architectures
    )


def compare(question: CostQuestion, ways: Sequence[PlanCandidate], *, free: bool = True) -> CostComparison:
    """Bill the question to every candidate; sorted by the month's cost with (`free`) or without the grant.

    Raises PlanError for a gateway that none of them has.
    """
    gateways = sorted({gateway for way in ways for gateway in way.plan.gateways})
    if question.gateway and question.gateway not in gateways:
        raise PlanError(f"no plan has a gateway {question.gateway!r}: known are {', '.join(gateways)}")
    offers, impossible = [], []
    for way in ways:
        if reasons := list(refusals(question, way.plan)):
            impossible.append((way, "; ".join(reasons)))
            continue
        try:
            offers.append(PlanOffer(way, way.bill(question, free=True), way.bill(question, free=False)))
        except ValueError as error:
            impossible.append((way, str(error)))
    offers.sort(key=lambda offer: (offer.usd(free=free), offer.without_grant.usd, offer.candidate.name))
    return CostComparison(question, tuple(offers), tuple(impossible))


def _refuse_unknown(choice: PlanChoice, plans: Sequence[Plan]) -> None:
    names = {plan.name for plan in plans}
    architectures = {each for plan in plans for each in plan.architectures}
    for kind, wanted, known in (("plan", choice.plans, names), ("architecture", choice.architectures, architectures)):
        for word in wanted:
            if word not in known:
                raise PlanError(f"unknown {kind} {word!r}: known are {', '.join(sorted(known))}")


def impossible_sentences(comparison: CostComparison) -> Iterator[str]:
    """Each reason once, after the plans that cannot serve the question for it."""
    reasons: dict[str, list[str]] = {}
    for candidate, reason in comparison.impossible:
        reasons.setdefault(reason, []).append(candidate.name)
    for reason, names in reasons.items():
        yield f"{', '.join(names)} cannot serve this: {reason}"


def quota_sentences(comparison: CostComparison) -> Iterator[str]:
    """Each default quota that the question exceeds, once, after the plans that it holds for."""
    notes: dict[str, list[str]] = {}
    for offer in comparison.offers:
        for note in quota_notes(comparison.question, offer.candidate.plan):
            notes.setdefault(note, []).append(offer.candidate.name)
    for note, names in notes.items():
        yield f"{', '.join(names)}: {note}"


def _places(regions: Sequence[str], prices: Sequence[CloudPrices]) -> dict[str, tuple[str, ...]]:
    """The regions of each cloud: those of `regions` that it has, in their order, else its default one."""
    for name in regions:
        if not any(each.knows(name) for each in prices):
            known = sorted({region for each in prices for region in (*each.regions, *each.areas)})
            raise PriceError(
                f"no prices for region {name!r}: known are {', '.join(known)}; "
                f"`tripoint prices --refresh --region CLOUD/{name}` reads those of another one, such as aws/{name}"
            )
    found = {each.cloud: [each.region(name) for name in regions if each.knows(name)] for each in prices}
    return {each.cloud: tuple(dict.fromkeys(found[each.cloud] or [each.region(None)])) for each in prices}
