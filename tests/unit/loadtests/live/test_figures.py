"""The figures so far against the summary of the same samples."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtests.analysis.target_summary import summarise_target
from loadtests.cost.measured import cost_of
from loadtests.live.figures import LiveFigures, typical
from loadtests.prices.book import bundled_book
from loadtests.record.columns import by_target, columns_of
from loadtests.stats.histogram import ERROR
from tests.kits.live import TARGETS, run_of

SAME = ("requests", "errors", "timeouts", "dropped", "late", "warm_up", "instances", "pre_initialised")


def live(count: int, *, seed: int = 1, batch: int = 101) -> dict[str, Any]:
    found, samples = LiveFigures(TARGETS, bundled_book()), run_of(count, seed=seed)
    for start in range(0, count, batch):
        found.take(samples[start : start + batch])
        found.document()  # looking changes nothing
    return found.document()


def summary(count: int, *, seed: int = 1) -> dict[str, dict[str, Any]]:
    """What the report says of each target."""
    found, book = {}, bundled_book()
    groups = by_target(run_of(count, seed=seed))
    for target in TARGETS:
        own = groups[target.name]
        cost = cost_of(target, own, book)
        part = summarise_target(target, own, stratum="forced", cost=cost, columns=columns_of(own))
        found[target.name] = part.document()
    return found


def near(expected: Any) -> Any:
    """The same document, with room for the histogram's error in every time."""
    if isinstance(expected, dict):
        return {name: near(value) for name, value in expected.items()}
    return pytest.approx(expected, rel=1.01 * ERROR) if isinstance(expected, float) else expected


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [40, 1500])
def test_they_are_what_the_report_says_of_the_same_samples(count: int, seed: int) -> None:
    reported = summary(count, seed=seed)
    for entry in live(count, seed=seed)["targets"]:
        expected = reported[entry["name"]]
        assert {name: entry[name] for name in SAME} == {name: expected[name] for name in SAME}
        assert entry["cold"]["n"] == expected["cold"]["n"]
        assert entry["cold"]["by_stratum"] == near(expected["cold"]["by_stratum"])
        for kind in ("warm", "unknown"):
            wanted = {name: value for name, value in expected[kind].items() if name != "p999_ms"}
            wanted["reasons"] = {name: why for name, why in wanted["reasons"].items() if name != "p999_ms"}
            assert entry[kind] == near(wanted)
        cost = entry["cost_usd_per_million"]["value"]
        assert cost == pytest.approx(expected["cost_usd_per_million"]["value"], rel=1e-9)


def test_the_order_in_which_samples_come_does_not_matter() -> None:
    ordered, shuffled = LiveFigures(TARGETS, bundled_book()), LiveFigures(TARGETS, bundled_book())
    ordered.take(sorted(run_of(600), key=lambda each: each.index))
    shuffled.take(run_of(600))
    one, other = ordered.document(), shuffled.document()
    for entry in (*one["targets"], *other["targets"]):
        entry["cost_usd"] = pytest.approx(entry["cost_usd"])
        entry["cost_usd_per_million"]["value"] = pytest.approx(entry["cost_usd_per_million"]["value"])
    assert one == other


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    samples = [replace(each, target="aws") for each in run_of(5000) if each.sent_s is not None]  # 50 a second
    found = LiveFigures(TARGETS, bundled_book())
    found.take(samples)
    sent = sum(each.sent_s >= 91 for each in samples if each.sent_s is not None)
    busy, idle = (entry["requests_per_s"] for entry in found.document()["targets"])
    assert busy == pytest.approx(sent / 10, abs=6)
    assert idle == 0
    assert found.document()["elapsed_s"] == pytest.approx(100, abs=1)


def test_a_run_that_has_only_begun_has_a_document_too() -> None:
    document = LiveFigures(TARGETS, bundled_book()).document()
    json.dumps(document, allow_nan=False)
    for entry in document["targets"]:
        assert (entry["requests"], entry["requests_per_s"], entry["cost_usd"]) == (0, 0, 0)
        assert entry["warm"]["reasons"]["p50_ms"] == "not estimable (n=0, needs 6)"
        assert entry["cold"] == {"n": 0, "by_stratum": {}}


def test_where_no_answer_tells_its_instance_those_without_evidence_are_the_typical_ones() -> None:
    found = LiveFigures(TARGETS, bundled_book())
    found.take([replace(each, state=None, instance=None) for each in run_of(400)])
    for entry in found.document()["targets"]:
        assert entry["warm"]["n"] == 0
        assert typical(entry) == entry["unknown"]
        assert typical(entry)["n"] > 100
    assert typical(live(400)["targets"][0])["n"] == live(400)["targets"][0]["warm"]["n"]
