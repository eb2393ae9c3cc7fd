from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from click.testing import CliRunner
from rich.console import Console

from cli.commands.report import command as report_command
from loadtests.analysis.recommendation import Candidate, StrategyError, find_strategy, recommend
from loadtests.analysis.sweep import NO_SHARES, SweepResult, tune
from loadtests.plan.phases import Stratum
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.prices.library import book_document, write_book
from loadtests.record.run_data import read_run
from loadtests.record.sample import Sample, State
from loadtests.record.store import FILE_NAME, Store
from loadtests.report.build import SUMMARY_NAME, render, summarise_run, write_reports
from loadtests.report.sweep import sweep_table
from loadtests.stats.estimate import Estimate
from tests.paths import ROOT

if TYPE_CHECKING:
    from loadtests.analysis.recommendation import Strategy
    from loadtests.analysis.summary import Summary

ROUNDS = 8
PER_ROUND = 15


def target(name: str, memory_mb: int, *, cpu_share: str = "enforced (cgroup v1)") -> Target:
    cloud = name.partition("-")[0]
    plan = {"aws": "on-demand", "gcp": "cloud-run-request"}[cloud]
    url = f"http://127.0.0.1:1/{name}"
    return Target(name, cloud, plan, "local", memory_mb, url, control=url, cpu_share=cpu_share)


SLOW, FAST, GOOGLE = target("aws-512", 512), target("aws-1769", 1769), target("gcp-1769", 1769)
WORK_MS = {"aws-512": 40.0, "aws-1769": 18.0, "gcp-1769": 19.0}


def sample(target: Target, at_s: float, worked_ms: float, *, state: State, stratum: Stratum, instance: str) -> Sample:
    return Sample(
        0, target.name, "w1", stratum, at_s, at_s, at_s + (worked_ms + 1) / 1000, "ok",
        state=state, instance=instance, total_ms=worked_ms, init_ms=300.0, response_bytes=500,
    )  # fmt: skip


def measured(target: Target, *, cold_ms: float = 500.0, spread: float = 0.05) -> Iterator[Sample]:
    """Rounds of a cold start and some warm requests, each on an instance of its own."""
    draw = np.random.default_rng([len(target.name), target.memory_mb])
    for number in range(ROUNDS):
        instance, at_s = f"{target.name}/{number}", number * 30.0
        took_ms = cold_ms * float(draw.lognormal(0, spread))
        yield sample(target, at_s, took_ms, state="cold", stratum="forced", instance=instance)
        for place, scale in enumerate(draw.lognormal(0, spread, PER_ROUND), start=1):
            worked_ms = WORK_MS[target.name] * float(scale)
            yield sample(target, at_s + 10 + place, worked_ms, state="warm", stratum="steady", instance=instance)


def stored(folder: Path, targets: Sequence[Target], strategy: Strategy, *, samples: Sequence[Sample] = ()) -> Path:
    """A run as `tripoint tune` leaves it, without its summary."""
    header = {
        "targets": [each.document() for each in targets],
        "loop": "open",
        "tune": strategy,
        "tune_notes": "azure has no 1024 MB: 2048 MB, its next size, stands for it",
    }
    made = samples or [each for target in targets for each in measured(target)]
    with Store.create(folder / FILE_NAME, header) as store:
        store.append([replace(each, index=index) for index, each in enumerate(made)])
    return folder


def swept(folder: Path, strategy: Strategy, *, samples: Sequence[Sample] = ()) -> tuple[Summary, SweepResult]:
    summary = summarise_run(stored(folder, [SLOW, FAST, GOOGLE], strategy, samples=samples))
    assert summary.sweep is not None
    return summary, summary.sweep


def chosen(sweep: SweepResult) -> dict[str, str]:
    return {each.scope: each.choice.name for each in sweep.recommendations}


def test_the_cost_strategy_takes_the_cheapest_and_shows_it(tmp_path: Path) -> None:
    _, sweep = swept(tmp_path, "cost")
    assert chosen(sweep) == {"overall": "aws-512", "aws": "aws-512", "gcp": "gcp-1769"}
    overall = sweep.recommendations[0]
    assert overall.significant
    assert "shown: lowest cost per million requests of 3 settings" in overall.sentence()


def test_the_speed_strategy_takes_the_fastest_and_names_what_it_cannot_be_told_from(tmp_path: Path) -> None:
    _, sweep = swept(tmp_path, "speed")
    overall = sweep.recommendations[0]
    assert overall.choice.name == "aws-1769"
    assert "aws-512" not in overall.indistinguishable, "twice as slow"


def test_a_slower_and_dearer_setting_is_on_no_frontier(tmp_path: Path) -> None:
    _, sweep = swept(tmp_path, "balanced")
    assert chosen(sweep)["overall"] == "aws-1769", "a third dearer, less than half as long"
    standings = {each.summary.target.name: each.by_warm for each in sweep.points}
    assert standings["aws-1769"] == "frontier"
    assert standings["gcp-1769"] != "frontier", "100 ms are billed for 19"


def test_a_setting_that_fails_takes_no_part_and_the_report_says_why(tmp_path: Path) -> None:
    good = [each for target in (SLOW, GOOGLE) for each in measured(target)]
    bad = [replace(each, outcome="failed", error="out_of_memory") for each in measured(FAST)]
    summary, sweep = swept(tmp_path, "speed", samples=[*good, *bad])
    assert "aws-1769" not in chosen(sweep).values()
    assert sweep.points[-1].left_out == "100.0% of its requests failed or had no answer"
    assert "left out (100.0% of its requests failed or had no answer)" in render(tmp_path, summary, "md")


def test_the_sweep_is_in_the_report_and_in_the_document_by_its_schema(tmp_path: Path) -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="the schema check needs the jsonschema package")
    summary, _ = swept(tmp_path, "balanced")
    write_reports(tmp_path, summary)
    document = json.loads((tmp_path / SUMMARY_NAME).read_text(encoding="utf-8"))
    schema = json.loads((ROOT / "docs" / "summary.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(document)
    assert [each["scope"] for each in document["sweep"]["recommendations"]] == ["overall", "aws", "gcp"]
    text = (tmp_path / "report.md").read_text(encoding="utf-8")
    section = text.partition("## Sweep")[2].partition("\n## ")[0]
    assert "Strategy: balanced" in section
    assert "| aws-512 (512 MB) |" in section
    assert "2048 MB, its next size, stands for it" in section


def test_a_sweep_is_not_blamed_for_what_it_sweeps(tmp_path: Path) -> None:
    summary, _ = swept(tmp_path, "balanced")
    states = {each.name: each.state for each in summary.checks}
    assert (states["alike"], states["samples"]) == ("passed", "passed")


def test_sizes_that_differ_in_price_alone_are_told(tmp_path: Path) -> None:
    summary, _ = swept(tmp_path, "cost")
    columns = read_run(tmp_path).columns
    plain = [replace(each, target=replace(each.target, cpu_share="not enforced")) for each in summary.targets]
    assert NO_SHARES in tune(plain, columns, "cost").notes
    assert NO_SHARES not in tune(summary.targets, columns, "cost").notes


def test_a_run_that_is_no_sweep_has_no_sweep_result(tmp_path: Path) -> None:
    with Store.create(tmp_path / FILE_NAME, {"targets": [SLOW.document()]}) as store:
        store.append([replace(each, index=index) for index, each in enumerate(measured(SLOW))])
    summary = summarise_run(tmp_path)
    assert summary.sweep is None
    assert "sweep" not in summary.document()
    assert "## Sweep" not in render(tmp_path, summary, "md")


def test_the_terminal_table_fits_80_columns(tmp_path: Path) -> None:
    _, sweep = swept(tmp_path, "balanced")
    console = Console(width=80)
    with console.capture() as capture:
        console.print(sweep_table(sweep))
    assert max(map(len, capture.get().splitlines())) <= 80
    assert "…" not in capture.get()


def contender(name: str, usd: float, p95_ms: float, *, width: float = 0.01) -> Candidate:
    sides = (Estimate(100, each, each * (1 - width), each * (1 + width)) for each in (usd, p95_ms))
    return Candidate(name, *sides)


def test_balanced_weighs_half_the_cost_like_half_the_time() -> None:
    same = [contender("cheap", 1.0, 40.0), contender("fast", 4.0, 10.0)]
    found = recommend(same, "balanced", scope="overall")
    assert found is not None
    assert found.choice.name == "cheap", "equal products: the cheaper one"
    assert found.indistinguishable == ("fast",)
    better = recommend([*same, contender("between", 1.5, 20.0)], "balanced", scope="overall")
    assert better is not None
    assert (better.choice.name, better.significant) == ("between", True)


def test_a_fast_setting_that_is_hardly_faster_names_the_cheaper_one() -> None:
    found = recommend([contender("fast", 4.0, 10.0), contender("cheap", 1.0, 10.1)], "speed", scope="aws")
    assert found is not None
    said = found.sentence()
    assert "not separable from cheap" in said
    assert "cheap is not shown to be slower and costs 0.250 times as much" in said


def test_a_cost_without_an_interval_shows_nothing() -> None:
    bare = Candidate("b", Estimate(100, 9.0), Estimate(100, 9.0, 8.9, 9.1))
    found = recommend([contender("a", 1.0, 10.0), bare], "cost", scope="overall")
    assert found is not None
    assert not found.significant


def test_a_single_setting_is_not_said_to_be_shown() -> None:
    found = recommend([contender("a", 1.0, 10.0)], "cost", scope="overall")
    assert found is not None
    assert not found.significant
    assert "the only setting" in found.sentence()


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(StrategyError, match="expected one of cost, speed, balanced"):
        find_strategy("cheap")


def doubled(book: dict[str, Any]) -> dict[str, Any]:
    """The same book a month later, everything at twice the price."""
    text = re.sub(r'"usd": "([0-9.]+)"', lambda found: f'"usd": "{2 * Decimal(found[1])}"', json.dumps(book))
    return {**json.loads(text), "date": "2026-12-24"}


def usd_in(folder: Path) -> float:
    document = json.loads((folder / SUMMARY_NAME).read_text(encoding="utf-8"))
    return float(document["targets"][0]["cost_usd_per_million"]["value"])


def test_a_run_keeps_its_prices_and_is_costed_again_with_another_book(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOINT_PRICES", str(tmp_path / "prices"))
    run = stored(tmp_path / "run", [SLOW], "cost")
    assert CliRunner().invoke(report_command, [str(run)]).exit_code == 0
    first = usd_in(run)
    assert json.loads((run / "prices.json").read_text(encoding="utf-8"))["date"] == bundled_book().date
    write_book(doubled(book_document()))
    assert CliRunner().invoke(report_command, [str(run)]).exit_code == 0
    assert usd_in(run) == first, "the newest book is another one now, the run keeps its own"
    assert CliRunner().invoke(report_command, [str(run), "--prices", "2026-12-24"]).exit_code == 0
    assert usd_in(run) == pytest.approx(2 * first)
    assert json.loads((run / SUMMARY_NAME).read_text(encoding="utf-8"))["run"]["price_book"] == "2026-12-24"


def test_a_price_book_that_is_not_known_is_refused_with_those_that_are(tmp_path: Path) -> None:
    run = stored(tmp_path / "run", [SLOW], "cost")
    refused = CliRunner().invoke(report_command, [str(run), "--prices", "1999-01-01"])
    assert refused.exit_code != 0
    assert "1999-01-01" in str(refused.exception)
    assert not (run / SUMMARY_NAME).exists()
