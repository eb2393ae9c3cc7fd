"""The figures of a run in progress against the summary of the same samples."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from loadtests.analysis.summary import summarise
from loadtests.cost.measured import cost_of
from loadtests.live.figures import live_document, typical
from loadtests.prices.book import bundled_book
from tests.kits.live import TARGETS, live, run_of

ADDED = {"requests_per_s", "slip_max_ms", "cost_usd"}


def summary(count: int, *, seed: int) -> dict[str, dict[str, Any]]:
    """Return the report's entry of each target, by name."""
    samples, book = run_of(count, seed=seed), bundled_book()
    costs = {target.name: cost_of(target, samples, book) for target in TARGETS}
    document = summarise({}, TARGETS, samples, costs).document()
    return {entry["name"]: entry for entry in document["targets"]}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("count", [0, 40, 1500])
def test_live_figures_equal_the_report_of_the_same_samples(count: int, seed: int) -> None:
    reported = summary(count, seed=seed)
    for entry in live(count, seed=seed)["targets"]:
        assert {name: value for name, value in entry.items() if name not in ADDED} == reported[entry["name"]]


def test_the_cost_so_far_is_that_of_the_requests_that_were_sent() -> None:
    for entry in live(1500)["targets"]:
        sent = entry["requests"] - entry["dropped"]
        assert entry["cost_usd"] == pytest.approx(entry["cost_usd_per_million"]["value"] * sent / 1e6)


def test_the_worst_slip_is_the_latest_send() -> None:
    for entry in live(1500)["targets"]:
        assert entry["slip_max_ms"] == pytest.approx(20)


def test_the_rate_is_that_of_the_last_ten_seconds() -> None:
    samples = [replace(sample, target="aws") for sample in run_of(5000) if sample.sent_s is not None]  # 50 a second
    document = live_document(TARGETS, samples, bundled_book())
    sent = sum(sample.sent_s >= 91 for sample in samples if sample.sent_s is not None)
    busy, idle = (entry["requests_per_s"] for entry in document["targets"])
    assert busy == pytest.approx(sent / 10, abs=6)
    assert idle == 0
    assert document["elapsed_s"] == pytest.approx(100, abs=1)


def test_a_run_that_has_only_begun_has_a_document_too() -> None:
    document = live(0)
    json.dumps(document, allow_nan=False)
    for entry in document["targets"]:
        assert (entry["requests"], entry["requests_per_s"], entry["cost_usd"]) == (0, 0, 0)
        assert entry["warm"]["reasons"]["p50_ms"] == "not estimable (n=0, needs 6)"
        assert (entry["cold"]["n"], entry["cold"]["by_stratum"]) == (0, {})


def test_where_no_answer_tells_its_instance_those_without_evidence_are_the_typical_ones() -> None:
    samples = [replace(sample, state=None, instance=None) for sample in run_of(400)]
    for entry in live_document(TARGETS, samples, bundled_book())["targets"]:
        assert entry["warm"]["n"] == 0
        assert typical(entry) == entry["unknown"]
        assert typical(entry)["n"] > 100
    assert typical(live(400)["targets"][0])["n"] == live(400)["targets"][0]["warm"]["n"]
