"""Compute the price of one request to a target, from its plan's rules and a price book."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.emulator.idle_life import IdleLife
from loadtests.cost.bill import BillTerms, bill_plan
from loadtests.cost.budget import BudgetError, RequestPrice
from loadtests.cost.gateway import gateway_before, steps_of
from loadtests.cost.measured import LOCAL_REGION
from loadtests.cost.plans import load_plan
from loadtests.cost.usage import Calls, Reserve, Usage

if TYPE_CHECKING:
    from loadtests.plan.targets import Target
    from loadtests.prices.book import PriceBook

LOG_GB = Decimal(1) / 1024**2  # 1 KB of log lines for each request: the platform's own lines and one of ours
_ZERO = Decimal(0)
_ONE = Decimal(1)
_ANSWER_BYTES = 1024**2  # a classification is a few KB
_MS_PER_S = 1000
_HOUR_S = Decimal(3600)
_GIB = Decimal(1024**3)


def request_prices(targets: Sequence[Target], book: PriceBook, *, request_bytes: int = 0) -> dict[str, RequestPrice]:
    """By name, for requests of at most `request_bytes`. Raises BudgetError for a target that has no price."""
    found = {}
    for target in targets:
        try:
            found[target.name] = request_price(target, book, request_bytes=request_bytes)
        except (LookupError, ValueError) as error:
            raise BudgetError(
                f"a budget needs a price for target {target.name!r}: {error}; see `tripoint prices`"
            ) from error
    return found


def without_price(targets: Sequence[Target], book: PriceBook) -> dict[str, str]:
    """Why some of `targets` have no price, by name; empty where all have one."""
    reasons = {}
    for target in targets:
        try:
            request_price(target, book)
        except (LookupError, ValueError) as error:
            reasons[target.name] = str(error)
    return reasons


def request_price(target: Target, book: PriceBook, *, request_bytes: int = 0) -> RequestPrice:
    """The tariff of one target, at the first tier and without any free grant. Raises PlanError, PriceError.

    Prices of one request are differences of bills, so that every meter of the plan is in them. Where a plan bills
    the instances' life, that is no request's; but one that is started in place of another (a forced cold start)
    leaves the other behind for as long as its cloud lets an idle one live, which comes with the start.
    """
    plan, data = load_plan(target.cloud, target.plan), contract.load(target.cloud).data
    front: dict[str, Any] = {"gateway": gateway_before(target, plan), "gateway_steps": steps_of(request_bytes)}

    def usd(*, instance_s: int = 0, cold: int = 0, egress_gb: Decimal = _ZERO, held_s: Decimal = _ZERO) -> Decimal:
        calls = Calls(
            requests=_ONE,
            duration_ms=_ZERO,
            memory_mb=Decimal(target.memory_mb),
            cold_share=Decimal(cold),
            instance_s=Decimal(instance_s),
        )
        held = _ONE if held_s else _ZERO  # what is held ready is not a request's
        reserve = Reserve(held, held_s / _HOUR_S, calls.memory_mb)
        more: dict[str, Any] = {"egress_gb": egress_gb, "log_gb": LOG_GB, "concurrency": target.concurrency}
        usage = Usage((calls,), reserve=reserve, **front, **more)
        region = None if target.region == LOCAL_REGION else target.region
        terms = BillTerms(region, target.architecture, free=False)
        return bill_plan(plan, usage, terms=terms, prices=book.of(target.cloud)).usd

    base, rule = usd(), plan.duration
    init_s = Decimal(str(data["limits"]["init_timeout_s"])) if rule.init_billed else _ZERO
    left_s = (
        init_s + Decimal(str(IdleLife.read(data["platform"]["idle_life"]).longest_s))
        if plan.bills_instance_lifetime
        else _ZERO
    )
    return RequestPrice(
        request_usd=base,
        ms_usd=(usd(instance_s=_MS_PER_S) - base) / _MS_PER_S**2,
        start_usd=usd(cold=1, held_s=left_s) - base,
        byte_usd=(usd(egress_gb=_ONE) - base) / _GIB,
        step_ms=rule.step_ms,
        minimum_ms=rule.minimum_ms,
        timeout_ms=Decimal(str(data["platform"]["timeout_s"])) * _MS_PER_S,
        init_timeout_ms=init_s * _MS_PER_S,
        answer_bytes=Decimal(min(data["limits"]["answer_bytes"], _ANSWER_BYTES)),
        waits_for_own_instance=bool(data["platform"].get("bound", False)),
        places=_places(target, data["platform"]),
        idle_s=Decimal(str(IdleLife.read(data["platform"]["idle_life"]).shortest_s)),
    )


def _places(target: Target, platform: Mapping[str, Any]) -> Decimal:
    """How many requests an instance has before the platform starts one more."""
    if target.concurrency == 1:
        return _ONE
    return max(target.concurrency * Decimal(str(platform.get("target_use", 1))), _ONE)
