from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from loadtests.analysis.summary import Summary, summarise
from loadtests.cost.measured import TargetCost
from loadtests.plan.phases import Stratum
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.run_data import RunData
from loadtests.record.sample import Outcome, Sample, State
from loadtests.record.store import FILE_NAME, Store
from loadtests.report.build import SUMMARY_NAME, summarise_run, write_reports
from loadtests.report.document import compose
from loadtests.report.markdown import render_markdown
from loadtests.report.sections.context import ReportContext
from loadtests.report.terminal import table
from loadtests.stats.estimate import Estimate
from tests.paths import ROOT

AWS = Target("aws", "aws", "on-demand", "us-east-1", 1024, "http://127.0.0.1:1/", control="http://127.0.0.1:2")
GCP = Target("gcp", "gcp", "cloud-run-request", "us-central1", 1024, "http://127.0.0.1:3/")
HEADER = {"targets": [AWS.document(), GCP.document()], "loop": "open", "command": "tripoint compare"}
COST = Estimate(n=400, value=2.5, lo=2.4, hi=2.6)
COSTS = {"aws": TargetCost("aws", COST, COST, Estimate(n=400, value=21.0), assumptions=("prices of 2026",))}


class Load:
    """Builds samples one after another, a second apart."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []

    def add(
        self,
        target: Target,
        state: State | None,
        latencies_ms: list[float],
        *,
        stratum: Stratum = "steady",
        outcome: Outcome = "ok",
        slip_ms: float = 0.1,
    ) -> Load:
        for latency_ms in latencies_ms:
            index = len(self.samples)
            at_s = float(index)
            sent_s = None if outcome == "dropped" else at_s + slip_ms / 1000
            done_s = at_s + latency_ms / 1000 if outcome in ("ok", "failed") else None
            instance = f"{target.name}-1" if state else None
            sample = Sample(
                index, target.name, "w1", stratum, at_s, sent_s, done_s, outcome, state=state, instance=instance
            )
            self.samples.append(sample)
        return self


def latencies(n: int, *, around_ms: float = 10.0, seed: int = 5) -> list[float]:
    return [float(x) for x in np.random.default_rng(seed).lognormal(np.log(around_ms), 0.2, n)]


@pytest.fixture
def mixed() -> Load:
    load = Load()
    load.add(AWS, "cold", latencies(8, around_ms=600), stratum="forced")
    load.add(AWS, "cold", latencies(6, around_ms=900), stratum="natural")
    load.add(AWS, "warm", [5000.0] * 20, stratum="warm-up")
    load.add(AWS, "warm", latencies(400)).add(AWS, "pre-initialised", [30.0])
    load.add(AWS, None, [0.0], outcome="timeout").add(AWS, None, [3.0, 3.0], outcome="failed")
    load.add(AWS, None, [0.0], outcome="dropped").add(AWS, "warm", [12.0], slip_ms=6.0)
    return load.add(GCP, None, latencies(80, around_ms=20))


def markdown(targets: list[Target], samples: list[Sample]) -> str:
    summary = summarise(HEADER, targets, samples, COSTS)
    record = RunData(HEADER, targets, samples, [], len(samples))
    return render_markdown(compose(ReportContext(summary, record, bundled_book())))


def documents(summary: Summary) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in summary.document()["targets"]}


def test_every_request_is_counted_once_under_what_became_of_it(mixed: Load) -> None:
    aws = documents(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS))["aws"]
    expected = {"requests": 440, "errors": 3, "timeouts": 1, "dropped": 1, "late": 1, "warm_up": 20, "instances": 1}
    assert {name: aws[name] for name in expected} == expected
    assert (aws["cold"]["n"], aws["warm"]["n"], aws["pre_initialised"]["n"], aws["unknown"]["n"]) == (14, 401, 1, 0)


def test_kinds_of_errors_are_counted_the_most_frequent_first(mixed: Load) -> None:
    samples = [*mixed.samples, replace(mixed.samples[0], outcome="failed", error="model_unknown")]
    kinds = documents(summarise(HEADER, [AWS, GCP], samples, COSTS))["aws"]["error_kinds"]
    assert list(kinds.items()) == [("failed", 2), ("timeout", 1), ("dropped", 1), ("model_unknown", 1)]


def test_cold_and_warm_are_never_pooled_and_kinds_of_cold_stay_apart(mixed: Load) -> None:
    aws = documents(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS))["aws"]
    cold = aws["cold"]
    assert cold["stratum"] == "forced"
    assert (cold["p50_ms"]["n"], cold["by_stratum"]["natural"]["n"]) == (8, 6)
    assert cold["p50_ms"] == cold["by_stratum"]["forced"]["p50_ms"]
    assert cold["p50_ms"]["value"] == pytest.approx(np.median(latencies(8, around_ms=600)))
    assert aws["warm"]["p95_ms"]["value"] < 30, "neither a cold start nor warm-up is among the warm"


def test_too_few_cold_starts_for_a_p95_are_null_with_a_reason(mixed: Load) -> None:
    cold = documents(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS))["aws"]["cold"]
    assert cold["p95_ms"] is None
    assert cold["reasons"] == {"p95_ms": "not estimable (n=8, needs 72)"}


def test_timeouts_and_drops_of_the_steady_load_weigh_on_the_warm_percentiles(mixed: Load) -> None:
    warm = documents(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS))["aws"]["warm"]
    assert warm["p50_ms"]["n"] == 403
    assert warm["reasons"]["p99_ms"] == "not estimable (n=403, no upper end: 2 never answered)"


def test_answers_without_evidence_are_neither_cold_nor_warm_and_a_caveat_says_so(mixed: Load) -> None:
    summary = summarise(HEADER, [AWS, GCP], mixed.samples, COSTS)
    gcp = documents(summary)["gcp"]
    assert (gcp["cold"]["n"], gcp["warm"]["n"], gcp["unknown"]["n"]) == (0, 0, 80)
    assert gcp["unknown"]["p95_ms"]["n"] == 80
    assert any("No evidence of cold or warm from gcp" in caveat for caveat in summary.caveats)


def test_both_views_of_a_late_request_are_kept() -> None:
    load = Load().add(AWS, "warm", [40.0] * 10, slip_ms=15.0)
    aws = documents(summarise(HEADER, [AWS], load.samples, {}))["aws"]
    assert aws["warm"]["p50_ms"]["value"] == pytest.approx(40)
    assert aws["warm_service"]["p50_ms"]["value"] == pytest.approx(25)
    assert aws["late"] == 10


def test_targets_that_give_no_evidence_are_compared_as_such() -> None:
    load = Load().add(AWS, None, latencies(50)).add(GCP, None, latencies(50, around_ms=20))
    # Interleaved: each of the second target's samples right after one of the first's.
    samples = [replace(each, intended_s=float(i % 50), sent_s=None) for i, each in enumerate(load.samples)]
    samples = [replace(each, done_s=each.intended_s + (0.01 if each.target == "aws" else 0.02)) for each in samples]
    (verdict,) = summarise(HEADER, [AWS, GCP], samples, {}).verdicts
    assert verdict.startswith("aws is faster than gcp (cold or warm unknown): 10.0 ms")


def test_a_target_without_any_sample_has_nulls_with_reasons() -> None:
    gcp = documents(summarise(HEADER, [AWS, GCP], Load().add(AWS, "warm", latencies(6)).samples, {}))["gcp"]
    assert gcp["requests"] == 0
    assert gcp["warm"]["p50_ms"] is None
    assert gcp["cold"]["reasons"]["p50_ms"] == "not estimable (n=0, needs 6)"
    assert gcp["cost_usd_per_million"] is None
    assert gcp["reasons"]["cost_usd_per_million"] == "no price for this target"


def test_the_waterfall_is_that_of_the_headline_kind_and_adds_up_to_its_mean(mixed: Load) -> None:
    cold = documents(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS))["aws"]["cold"]
    expected_ms = np.mean(latencies(8, around_ms=600))
    assert sum(part["ms"] for part in cold["waterfall"]) == pytest.approx(expected_ms)
    text = markdown([AWS, GCP], mixed.samples)
    assert f"| all | {expected_ms:.0f} |" in text
    assert "Mean parts of" not in markdown([GCP], [])


def test_the_kind_of_cold_start_that_most_targets_have_is_the_headline_of_all() -> None:
    load = Load().add(AWS, "cold", latencies(9), stratum="forced").add(AWS, "cold", latencies(7), stratum="natural")
    load.add(GCP, "cold", latencies(7), stratum="natural")
    entries = documents(summarise(HEADER, [AWS, GCP], load.samples, {}))
    assert {entry["cold"]["stratum"] for entry in entries.values()} == {"natural"}


def test_a_local_run_says_first_what_it_cannot_say(mixed: Load) -> None:
    assert summarise(HEADER, [AWS, GCP], mixed.samples, {}).caveats[0].startswith("Local run:")
    remote = summarise(HEADER, [GCP], mixed.samples, {}).caveats
    assert not any(caveat.startswith("Local run") for caveat in remote)


def test_a_closed_loop_says_that_it_flatters() -> None:
    said = summarise({"loop": "closed"}, [GCP], Load().add(GCP, "warm", [5.0]).samples, {}).caveats
    assert any(caveat.startswith("Closed loop") for caveat in said)


def test_the_summary_of_a_stored_run_follows_the_published_schema(mixed: Load, tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the schema check needs the jsonschema package")
    with Store.create(tmp_path / FILE_NAME, HEADER) as store:
        store.append(mixed.samples)
    write_reports(tmp_path, summarise_run(tmp_path))
    document = json.loads((tmp_path / SUMMARY_NAME).read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs" / "summary.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document)
    assert "tripoint compare" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_terminal_table_fits_80_columns_without_cutting_a_figure(mixed: Load) -> None:
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table(summarise(HEADER, [AWS, GCP], mixed.samples, COSTS)))
    text = capture.get()
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert "2.50" in text
    assert "cloud-run-request" in text


def test_the_markdown_report_shows_values_with_intervals_and_escapes_cells(mixed: Load) -> None:
    odd = Target("a|b", "aws", "on-demand", "us-east-1", 512, "http://127.0.0.1:1/")
    text = markdown([AWS, odd], mixed.samples)
    row = next(line for line in text.splitlines() if line.startswith("| aws (aws"))
    assert "2.50 [2.40\N{EN DASH}2.60]" in row
    assert "4 (of 440)" in row
    assert "| a\\|b (aws" in text


def test_of_many_targets_the_fastest_is_compared_in_words_and_the_rest_in_the_document() -> None:
    targets = [replace(AWS, name=f"t{number}") for number in range(6)]
    samples = [
        Sample(i, target.name, "w", "steady", i, i, i + (20 + 5 * number + i % 7) / 1000, "ok", state="warm")
        for number, target in enumerate(targets)
        for i in range(100)
    ]
    summary = summarise({}, targets, samples, {})
    assert len(summary.comparisons) == 15
    assert sum("t0 is faster than" in verdict for verdict in summary.verdicts) == 5
    assert "10 more warm comparisons are in summary.json" in summary.verdicts
