"""Compare what the platform billed with our rule, our clock and our evidence of cold starts. Pure.

Three things are compared for each request that has the platform's line: its billed time with what our rule makes of
the durations on the same line; its billed time with what our rule makes of the instance's own times, which is what a
run without lines is billed by; and "the first request of this instance" with our cold or pre-initialised.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from loadtests.analysis.check import Check, check_result
from loadtests.analysis.comparison import BAD_SHARE_MAX
from loadtests.cost.billed_time import estimated_ms, exact
from loadtests.cost.plans import load_plan
from loadtests.record.platform_reports import EVENT
from loadtests.stats.formatting import format_number

if TYPE_CHECKING:
    from adapters.platform_report import PlatformReport
    from loadtests.cost.duration import DurationRule
    from loadtests.record.run_data import RunData
    from loadtests.record.sample import Sample

NAME = "billing"
_REMEDY = (
    "the cost uses the platform's word where there is one: compare the samples (tripoint export) with the vendor's "
    "bill, and the plan's rule with its pricing page"
)


@dataclass(frozen=True, slots=True)
class BillingAgreement:
    """One request: by how much our rule, and our clock, differ from what the platform billed, in ms.

    `clock_ms` None: nobody measured it. `first` says whether the evidence agrees; None without evidence.
    """

    billed_ms: Decimal
    rule_ms: Decimal
    step_ms: Decimal
    clock_ms: Decimal | None
    first: bool | None

    @property
    def by_rule(self) -> bool:
        """Durations on a line are rounded to 0.01 ms, so that a step's edge may fall on either side."""
        return abs(self.rule_ms) <= self.step_ms


def billing(record: RunData) -> Iterator[Check]:
    """At most one check; none where nobody asked a platform for its lines."""
    found = list(_agreements(record))
    asked = [event.document for event in record.events if event.kind == EVENT]
    if found:
        finding = "; ".join([*_sentences(found), *_missing(record, asked)])
        shares = (_share(each.by_rule for each in found), _share(each.first for each in found))
        yield check_result(NAME, min(shares) < 1 - BAD_SHARE_MAX, finding, _REMEDY)
    elif asked:
        yield Check(NAME, "unknown", "; ".join(_missing(record, asked)) or "no line of the platform's was found")


def _agreements(record: RunData) -> Iterator[BillingAgreement]:
    for target in record.targets:
        try:
            rule = load_plan(target.cloud, target.plan).duration
        except (LookupError, ValueError):  # a plan without rules: nothing to compare with
            continue
        for sample in record.samples:
            if sample.target == target.name and sample.report is not None:
                yield agreement(rule, sample, sample.report)


def agreement(rule: DurationRule, sample: Sample, report: PlatformReport) -> BillingAgreement:
    """Compare one request with its line."""
    billed_ms, ours_ms = exact(report.billed_ms), estimated_ms(rule, sample)
    return BillingAgreement(
        billed_ms=billed_ms,
        rule_ms=_by_rule(rule, report) - billed_ms,
        step_ms=rule.step_ms,
        clock_ms=None if ours_ms is None else ours_ms - billed_ms,
        first=None if sample.state is None else (sample.state != "warm") == report.is_first,
    )


def _by_rule(rule: DurationRule, report: PlatformReport) -> Decimal:
    """What our rule bills for the durations on the platform's own line."""
    ran_ms = exact(report.duration_ms) + exact(report.billed_restore_ms or 0.0)
    return rule.billed_ms(ran_ms, exact(report.init_ms or 0.0))


def _sentences(found: Sequence[BillingAgreement]) -> Iterator[str]:
    agreed, worst_ms = sum(each.by_rule for each in found), max(abs(each.rule_ms) for each in found)
    yield (
        f"our billing rule agrees with the platform's own report within {format_number(float(found[0].step_ms))} ms"
        f" for {agreed:,} of {len(found):,} requests, and is {format_number(float(worst_ms))} ms off at most"
    )
    timed = [each for each in found if each.clock_ms is not None]
    billed_ms = sum((each.billed_ms for each in timed), Decimal(0))
    if billed_ms:
        off = sum((each.clock_ms or Decimal(0) for each in timed), Decimal(0)) / billed_ms
        yield f"by the instances' own times the bill would be {float(off):+.1%}"
    known = [each.first for each in found if each.first is not None]
    if known:
        yield f"new instances are the same ones for {sum(known):,} of {len(known):,}"


def _share(agreed: Iterator[bool | None]) -> float:
    known = [each for each in agreed if each is not None]
    return sum(known) / len(known) if known else 1.0


def _missing(record: RunData, asked: Sequence[Any]) -> Iterator[str]:
    """Answers that named their request and have no line, and why as far as it was told."""
    if not asked:
        return
    silent = set(asked[-1].get("silent", ()))
    left = [each for each in record.samples if each.request_id and each.report is None and each.target not in silent]
    if left:
        words = "line did not come: that request is" if len(left) == 1 else "lines did not come: those requests are"
        yield f"{len(left):,} {words} billed by our rule"
    if silent:
        yield f"answers of {', '.join(sorted(silent))} name no request of the platform's lines"
    if trouble := asked[-1].get("trouble"):
        yield str(trouble)
