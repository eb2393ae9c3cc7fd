from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.cost.measured import TargetCost
from loadtests.report.sections.verdict import ReportVerdict, verdicts
from loadtests.stats.estimate import Estimate
from tests.kits.page import Load, target, three_clouds


@pytest.fixture(scope="module")
def found() -> tuple[ReportVerdict, ...]:
    return verdicts(three_clouds().context().summary)


def test_each_question_has_one_verdict_in_the_order_of_the_questions(
    found: tuple[ReportVerdict, ...],
) -> None:
    questions = ["Fastest when warm", "Fastest cold start", "Cheapest at 10 million requests a month"]
    assert [each.question for each in found] == questions


def test_a_target_that_is_faster_than_every_other_is_shown_with_its_leads(found: tuple[ReportVerdict, ...]) -> None:
    warm = found[0]
    assert (warm.word, warm.key) == ("shown", 0)
    assert warm.answer.startswith("aws, median 1")
    assert "ms faster than azure and " in warm.answer
    assert len(warm.evidence) == 2, "the comparison of the two others says nothing of aws"


def test_two_targets_that_are_alike_are_not_separable() -> None:
    load = Load([target("aws"), target("gcp")]).warm("aws", 200, around_ms=20).warm("gcp", 200, around_ms=20.1)
    warm, cold, _ = verdicts(load.context().summary)
    assert warm.word == "not separable"
    assert "but is not separable from" in warm.answer
    assert warm.evidence[0].count("not separable") == 1
    assert (cold.word, cold.key) == ("not known", None)
    assert "not estimable (n=0, needs 6)" in cold.answer


def test_a_single_target_has_figures_and_nothing_to_be_compared_with() -> None:
    load = Load([target("gcp")]).three_kinds("gcp", warm_ms=20, cold_ms=300)
    for each in verdicts(load.context().summary):
        assert each.word == "not known"
        assert "gcp alone" in each.answer


def test_a_target_with_many_failures_is_not_compared_and_nobody_wins_against_it() -> None:
    load = three_clouds().bad("gcp", 40, "timeout")
    warm = verdicts(load.context().summary)[0]
    assert warm.word == "not separable"
    assert "gcp (not compared)" in warm.answer
    assert any("had no answer" in each for each in warm.evidence)


def priced(*costs: Estimate) -> ReportVerdict:
    summary = three_clouds().context().summary
    nothing = Estimate(n=0, reason="unknown")
    parts = [
        replace(part, cost=TargetCost(part.target.name, cost, cost, nothing))
        for part, cost in zip(summary.targets, costs, strict=True)
    ]
    return verdicts(replace(summary, targets=parts))[2]


def test_the_lowest_cost_is_shown_only_when_intervals_lie_apart() -> None:
    low, near, far = Estimate(9, 1.0, 0.9, 1.1), Estimate(9, 1.1, 1.0, 1.2), Estimate(9, 2.0, 1.9, 2.1)
    assert priced(low, far, far).word == "shown"
    overlapping = priced(far, near, low)
    assert (overlapping.word, overlapping.key) == ("not separable", 2)
    assert "not separable from azure" in overlapping.answer


def test_the_lowest_cost_without_intervals_is_not_called_shown() -> None:
    without, far = Estimate(9, 1.0), Estimate(9, 2.0, 1.9, 2.1)
    verdict = priced(without, far, far)
    assert verdict.word == "not known"
    assert "how sure is not known" in verdict.answer
    half = priced(Estimate(9, 1.0, 0.9, 1.1), far, Estimate(9, 4.0))
    assert half.word == "shown"
    assert "gcp has no interval to compare" in half.answer


def test_no_cost_at_all_says_why() -> None:
    nothing = Estimate(n=0, reason="no price for this target")
    assert "aws: no price for this target" in priced(nothing, nothing, nothing).answer


def test_answers_without_evidence_are_judged_as_they_are() -> None:
    load = Load([target("aws"), target("gcp")])
    load.warm("aws", 100, around_ms=10).warm("gcp", 100, around_ms=30)
    load.samples = [replace(each, state=None) for each in load.samples]
    warm = verdicts(load.context().summary)[0]
    assert (warm.word, warm.key) == ("shown", 0)


def test_a_target_that_never_answered_costs_little_and_is_not_the_cheapest() -> None:
    load = Load([target("aws"), target("gcp")]).warm("aws", 100, around_ms=10).bad("gcp", 100, "timeout")
    verdict = verdicts(load.context().summary)[2]
    assert (verdict.word, verdict.key) == ("not known", 0)
    assert "Left out, because too many of its requests failed: gcp." in verdict.answer
