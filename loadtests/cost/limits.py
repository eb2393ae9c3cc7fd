"""Say why a plan cannot serve a question: it takes longer, or sends more, than the plan lets it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from adapters import contract

if TYPE_CHECKING:
    from loadtests.cost.plan import Plan
    from loadtests.cost.question import CostQuestion

_KB = Decimal(1024)


def refusals(question: CostQuestion, plan: Plan) -> Iterator[str]:
    """Every limit of `plan` that the question exceeds, with the limit; nothing when it can be served.

    The limits are those of the cloud's `[limits]`, or the plan's own. The plan's first gateway stands in front where
    it does not have the one that is asked for.
    """
    data = contract.load(plan.cloud).data
    limits: Mapping[str, Any] = {**data["limits"], **plan.limits}
    yield from _too_long(question, plan, limits, data["platform"])
    inflated = Decimal(str(limits.get("request_inflation", 1)))
    sizes = (
        ("request", question.payload_kb * _KB * inflated, limits["request_bytes"]),
        ("answer", question.response_kb * _KB, limits["answer_bytes"]),
    )
    for what, size, limit in sizes:
        if size > limit:
            carried = " as the platform carries it" if what == "request" and inflated != 1 else ""
            yield f"the {what} has {_megabytes(size)} MB{carried}, the limit is {_megabytes(Decimal(limit))}"
    most = int(limits.get("concurrency_max", data["platform"]["concurrency_max"]))
    if most > 1 and question.concurrency > most:
        yield f"an instance serves {question.concurrency} requests at once, the limit is {most}"


def _too_long(
    question: CostQuestion, plan: Plan, limits: Mapping[str, Any], platform: Mapping[str, Any]
) -> Iterator[str]:
    gateway = question.gateway if question.gateway in plan.gateways else plan.gateways[0]
    found = {
        "a function": limits["timeout_max_s"],
        f"{gateway} waits": platform.get("front_timeout_s", {}).get(gateway),
        "an HTTP answer": limits.get("answer_within_s"),
    }
    known = {what: Decimal(str(limit)) for what, limit in found.items() if limit is not None}
    what = min(known, key=lambda each: known[each])
    if question.duration_ms > known[what] * 1000:
        yield f"a request takes {question.duration_ms / 1000:f} s, the limit of {what} is {known[what]:f} s"


def _megabytes(size_bytes: Decimal) -> str:
    return f"{size_bytes / 1024**2:.1f}"
