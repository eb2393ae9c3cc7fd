"""Cold or warm while a run goes on, against what all answers together show in the end."""

from __future__ import annotations

from random import Random

import pytest

from loadtests.analysis.target_summary import summarise_target
from loadtests.live.figures import LiveFigures
from loadtests.prices.book import bundled_book
from loadtests.record.cold_state import classify_samples
from loadtests.record.cold_state_stream import ColdStateStream
from loadtests.record.columns import by_target, columns_of
from loadtests.record.evidence import InstanceReport, provisional_state
from loadtests.record.sample import Sample
from tests.kits.live import TARGETS

GAP_S = 0.012  # an instance opens so long after it is ready


def served(random: Random, index: int, *, instance: tuple[int, float], number: int, sent_s: float) -> Sample:
    """The `number`-th request of an instance (its number, and when it is ready), as a worker reads its answer.

    It begins where the instance is open and the request is there; each way takes a little, sometimes more.
    """
    way_s, back_s, work_s = (random.uniform(0.0002, 0.01) for _ in range(3))
    start_s = max(sent_s + way_s, instance[1] + GAP_S + random.uniform(0, 0.004))
    done_s, since_ready_ms = start_s + work_s + back_s, (start_s - instance[1]) * 1000
    name = TARGETS[instance[0] % 2].name
    report = InstanceReport(f"{name} {instance[0]}", number, since_ready_ms)
    return Sample(
        index,
        name,
        f"worker {index % 2}",
        random.choice(["steady", "burst", "natural"]),
        sent_s,
        sent_s,
        done_s,
        "ok",
        200,
        state=provisional_state(report, waited_ms=(done_s - sent_s - work_s) * 1000),
        connect_ms=random.choice([None, 0.3, 0.5]),
        instance=report.instance,
        request_number=number,
        since_ready_ms=since_ready_ms,
        total_ms=work_s * 1000,
        init_ms=300.0,
    )


def run_of(seed: int) -> list[Sample]:
    """Sixty instances, each with requests before it is ready, just after, and later; in order of their answers."""
    random = Random(seed)
    found: list[Sample] = []
    for number in range(60):
        instance = (number, 1.0 + number / 3)
        offsets = [random.choice([-0.5, -0.003, 0.001, 0.005, 0.02, 0.1]), *(random.uniform(0, 9) for _ in range(12))]
        for turn, offset_s in enumerate(sorted(offsets)):
            sent_s = instance[1] + offset_s
            found.append(served(random, len(found), instance=instance, number=turn + 1, sent_s=sent_s))
    return sorted(found, key=lambda each: each.done_s or 0.0)


@pytest.mark.parametrize("seed", range(12))
def test_states_are_what_all_answers_together_show(seed: int) -> None:
    samples = run_of(seed)
    live = LiveFigures(TARGETS, bundled_book())
    for start in range(0, len(samples), 37):
        live.take(samples[start : start + 37])
    final = classify_samples(samples)
    assert any(now.state != then.state for now, then in zip(final, samples, strict=True)), "a run that tells nothing"
    groups = by_target(final)
    for target, entry in zip(TARGETS, live.document()["targets"], strict=True):
        own = groups[target.name]
        expected = summarise_target(target, own, stratum="burst", cost=None, columns=columns_of(own)).document()
        assert entry["pre_initialised"] == expected["pre_initialised"]
        assert entry["cold"]["n"] == expected["cold"]["n"]
        counts = {kind: group["n"] for kind, group in expected["cold"]["by_stratum"].items()}
        assert {kind: group["n"] for kind, group in entry["cold"]["by_stratum"].items()} == counts
        assert entry["warm"]["n"] == expected["warm"]["n"]


def test_a_later_answer_may_change_what_an_earlier_one_seemed_to_be() -> None:
    samples = [each for each in run_of(3) if each.target == TARGETS[0].name]
    newcomers, changed = ColdStateStream(), 0
    before: dict[int, str | None] = {}
    for sample in samples:
        newcomers.add(sample)
        now: dict[int, str | None] = {each.index: each.state for each in newcomers.classified()}
        changed += sum(now[index] != state for index, state in before.items())
        before = now
    assert changed > 0


def test_of_many_requests_of_few_instances_only_the_first_are_kept() -> None:
    random, newcomers = Random(1), ColdStateStream()
    kept = 0
    for turn in range(20_000):
        kept += newcomers.add(served(random, turn, instance=(turn % 2, 1.0), number=turn // 2 + 1, sent_s=turn / 50))
    assert kept == len(newcomers.classified())
    assert kept < 400


def test_answers_without_evidence_have_no_open_state() -> None:
    newcomers = ColdStateStream()
    assert not newcomers.add(Sample(1, "aws", "w", "steady", 0.0, 0.0, 0.1, "ok", state=None))
    assert not newcomers.add(Sample(2, "aws", "w", "steady", 0.0, 0.0, None, "timeout"))
    assert newcomers.classified() == []
