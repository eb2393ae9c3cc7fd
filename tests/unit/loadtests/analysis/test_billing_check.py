"""The platform's own word on what it billed, against our rule, our clock and our evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from adapters.platform_report import PlatformReport
from loadtests.analysis.billing_check import billing
from loadtests.plan.targets import Target
from loadtests.record.platform_reports import EVENT
from loadtests.record.run_data import RunData
from loadtests.record.sample import Sample
from loadtests.record.store import Event

if TYPE_CHECKING:
    from loadtests.analysis.check import Check

AWS = Target("aws", "aws", "on-demand", "us-east-1", 1769, "https://x.lambda-url.us-east-1.on.aws/")
SNAP = replace(AWS, plan="snapstart")


def warm(index: int) -> Sample:
    """20.1 ms in the handler, 22.1 ms by the platform, which bills 23."""
    return Sample(
        index, "aws", "w", "steady", index, index, index + 0.1, "ok", state="warm", total_ms=20.1,
        request_id=f"id-{index}", report=PlatformReport("REPORT", 22.1, 23, 1769, 90),
    )  # fmt: skip


def cold(index: int) -> Sample:
    report = PlatformReport("REPORT", 30.5, 331, 1769, 90, init_ms=300.2)
    return replace(warm(index), state="cold", init_ms=290.0, report=report)


def checked(samples: Sequence[Sample], *events: Event, target: Target = AWS) -> Check | None:
    return next(billing(RunData({}, [target], samples, events)), None)


RUN = [cold(0), *map(warm, range(1, 10))]


def test_figures_that_follow_from_the_rule_pass_and_the_clocks_difference_is_told() -> None:
    check = checked(RUN)
    assert check is not None
    assert check.state == "passed"
    assert "within 1.00 ms for 10 of 10 requests, and is 0 ms off at most" in check.finding
    ours, theirs = 9 * 21 + 311, 9 * 23 + 331
    assert f"by the instances' own times the bill would be {ours / theirs - 1:+.1%}" in check.finding
    assert "new instances are the same ones for 10 of 10" in check.finding


def test_a_platform_that_bills_otherwise_than_our_rule_fails_the_check() -> None:
    other = replace(RUN[5], report=PlatformReport("REPORT", 22.1, 100, 1769, 90))
    check = checked([*RUN[:5], other, *RUN[6:]])
    assert check is not None
    assert check.state == "failed"
    assert "for 9 of 10 requests, and is 77.0 ms off at most" in check.finding
    assert "the cost uses the platform's word" in check.remedy


def test_an_instance_that_the_platform_says_is_new_and_we_say_is_not_fails_the_check() -> None:
    check = checked([replace(RUN[0], state="warm"), *RUN[1:]])
    assert check is not None
    assert check.state == "failed"
    assert "new instances are the same ones for 9 of 10" in check.finding


def test_what_is_billed_of_a_restoration_is_in_the_rule() -> None:
    restored = PlatformReport("REPORT", 306.34, 610, 1769, 155, restore_ms=511.25, billed_restore_ms=303)
    check = checked([replace(cold(0), report=restored)], target=SNAP)
    assert check is not None
    assert check.state == "passed"
    assert "1 of 1 requests, and is 0 ms off at most" in check.finding


def test_what_did_not_come_is_counted_and_why_is_told() -> None:
    document = {"asked": 10, "found": 8, "silent": [], "trouble": "they could not be read: no right"}
    run = [*RUN[:8], *(replace(each, report=None) for each in RUN[8:])]
    check = checked(run, Event(9.0, EVENT, document=document))
    assert check is not None
    assert "2 lines did not come: those requests are billed by our rule" in check.finding
    assert check.finding.endswith("they could not be read: no right")


def test_a_front_that_names_other_requests_leaves_nothing_to_judge_by() -> None:
    document = {"asked": 0, "found": 0, "silent": ["aws"], "trouble": ""}
    check = checked([replace(each, report=None) for each in RUN], Event(9.0, EVENT, document=document))
    assert check is not None
    assert (check.state, check.finding) == ("unknown", "answers of aws name no request of the platform's lines")


@pytest.mark.parametrize("target", [AWS, replace(AWS, plan="of my own")])
def test_a_run_that_nobody_asked_about_has_no_such_check(target: Target) -> None:
    assert checked([replace(each, report=None) for each in RUN], target=target) is None
