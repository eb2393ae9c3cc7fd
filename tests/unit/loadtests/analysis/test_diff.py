from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from cli.commands.diff import command
from loadtests.analysis.against import changes_against
from loadtests.analysis.change import Change, headline, judged
from loadtests.analysis.diff import RUN_TO_RUN, NotComparableRuns, _change_of_runs, diff, doubts, limits
from loadtests.plan.phases import Stratum
from loadtests.plan.targets import Target
from loadtests.record.run_data import RunData
from loadtests.record.sample import Sample, State
from loadtests.record.store import FILE_NAME, Event, Store

AWS = Target("aws", "aws", "on-demand", "us-east-1", 1024, "http://127.0.0.1:1/", control="http://127.0.0.1:2")
HEADER = {
    "targets": [AWS.document()],
    "scenario": "quick",
    "loop": "open",
    "model": "clothes 1.0.0",
    "images": {"sha256": "ab", "count": 12},
    "machine": {"cpu": "x", "cores": 2},
}


def load(seed: int, around_ms: float, *, n: int, state: State, stratum: Stratum, tail: float = 1.0) -> list[Sample]:
    latency_ms = np.random.default_rng([seed, n]).lognormal(np.log(around_ms), 0.1, n)
    latency_ms[latency_ms > np.percentile(latency_ms, 90)] *= tail
    return [
        Sample(
            i, "aws", state, stratum, float(i), float(i), i + float(ms) / 1000, "ok",
            state=state, instance=f"{state}-{i // 40 if state == 'warm' else i}",
        )
        for i, ms in enumerate(latency_ms)
    ]  # fmt: skip


def run(seed: int, *, warm_ms: float = 20.0, cold_ms: float = 600.0, tail: float = 1.0, failed: int = 0) -> RunData:
    warm = load(seed, warm_ms, n=400, state="warm", stratum="steady", tail=tail)
    broken = [replace(each, outcome="failed") for each in warm[:failed]]
    cold = load(seed, cold_ms, n=12, state="cold", stratum="forced")
    return RunData(HEADER, [AWS], [*cold, *broken, *warm[failed:]])


def regressions(changes: list[Change]) -> list[str]:
    return [each.what for each in changes if each.regression]


def test_two_runs_of_the_same_thing_show_no_regression() -> None:
    changes = diff([run(1)], [run(2)])
    assert {each.what for each in changes} == {"warm latency", "cold latency", "errors", "warm p95", "warm p99"}
    assert regressions(changes) == []
    assert headline(changes, 0.1) == "no significant regression beyond 10 %"


def test_a_slower_warm_latency_beyond_the_threshold_is_a_regression() -> None:
    changes = diff([run(1)], [run(2, warm_ms=26)])
    assert "warm latency" in regressions(changes)
    warm = next(each for each in changes if each.what == "warm latency")
    assert warm.relative == pytest.approx(0.3, abs=0.03)
    assert warm.sentence.endswith("regression")


def test_a_significant_change_within_the_threshold_is_not_one() -> None:
    changes = diff([run(1)], [run(2, warm_ms=22)], threshold=0.25)
    warm = next(each for each in changes if each.what == "warm latency")
    assert (warm.significant, warm.regression) == (True, False)
    assert warm.sentence.endswith("worse, within the threshold")


def test_a_faster_run_is_better_and_not_a_regression() -> None:
    changes = diff([run(1)], [run(2, warm_ms=15)])
    assert regressions(changes) == []
    assert next(each for each in changes if each.what == "warm latency").sentence.endswith("better")


def test_a_longer_tail_alone_is_a_regression() -> None:
    assert regressions(diff([run(1)], [run(2, tail=6.0)])) == ["warm p95", "warm p99"]


def test_slower_cold_starts_alone_are_a_regression() -> None:
    assert regressions(diff([run(1)], [run(2, cold_ms=900)])) == ["cold latency"]


def test_more_errors_are_a_regression_and_the_remaining_answers_are_not_compared() -> None:
    changes = diff([run(1)], [run(2, failed=40)])
    assert regressions(changes) == ["errors"]
    assert "not compared" in next(each for each in changes if each.what == "warm latency").sentence


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"scenario": "smoke"}, "scenario: quick against smoke"),
        ({"images": {"sha256": "cd", "count": 12}}, "image set: ab against cd"),
        ({"model": "clothes 2"}, "model: clothes 1.0.0 against clothes 2"),
        ({"machine": {"cpu": "y", "cores": 8}}, "machine: x, 2 against y, 8"),
    ],
)
def test_runs_that_measured_something_else_are_refused_with_the_difference(
    other: dict[str, object], said: str
) -> None:
    second = replace(run(2), header={**HEADER, **other})
    with pytest.raises(NotComparableRuns, match=said):
        diff([run(1)], [second])


def test_another_memory_size_or_another_target_is_refused() -> None:
    with pytest.raises(NotComparableRuns, match="aws's memory_mb: 1024 against 2048"):
        diff([run(1)], [replace(run(2), targets=[replace(AWS, memory_mb=2048)])])
    with pytest.raises(NotComparableRuns, match="targets: aws against gcp"):
        diff([run(1)], [replace(run(2), targets=[replace(AWS, name="gcp")])])


def stored(record: RunData, folder: Path) -> str:
    with Store.create(folder / FILE_NAME, record.header) as store:
        store.append(record.samples)
    return str(folder)


def test_the_command_exits_0_without_and_1_with_a_regression_and_2_when_it_refuses(tmp_path: Path) -> None:
    before, same, slower = (
        stored(each, tmp_path / str(i)) for i, each in enumerate((run(1), run(2), run(3, warm_ms=30)))
    )
    other = stored(replace(run(4), header={**HEADER, "scenario": "smoke"}), tmp_path / "other")
    invoke = CliRunner().invoke
    assert invoke(command, [before, same]).exit_code == 0
    worse = invoke(command, [before, slower])
    assert worse.exit_code == 1
    assert "regression beyond 10 %: aws warm latency" in worse.output
    refused = invoke(command, [before, other])
    assert refused.exit_code == 2
    assert "not comparable: scenario: quick against smoke" in refused.output
    assert invoke(command, [before, str(tmp_path / "nothing")]).exit_code == 2
    assert invoke(command, [before, slower, "--threshold", "80"]).exit_code == 0


def test_a_run_that_fails_its_checks_is_named_as_a_reason_for_a_difference(tmp_path: Path) -> None:
    busy = Event(1.0, "pulse", "w1", {"cpu_percent": 99.0, "machine_percent": 99.0, "wall_minus_steady_s": 0.0})
    noisy = replace(run(2), events=[busy, Event(9.0, "finished")])
    assert [each.partition(":")[0] for each in doubts(noisy)] == ["client-cpu", "machine"]
    folders = [stored(record, tmp_path / name) for name, record in (("a", run(1)), ("b", run(2)))]
    output = CliRunner().invoke(command, folders).output
    assert output.count("a difference may be the machine's") == 2, "neither run says that it finished"


def test_the_command_prints_changes_as_json(tmp_path: Path) -> None:
    before, after = (stored(run(i), tmp_path / str(i)) for i in (1, 2))
    changes = json.loads(CliRunner().invoke(command, [before, after, "--json"]).output)
    assert {"target", "what", "relative", "p", "significant", "regression", "sentence"} == set(changes[0])


def test_one_run_a_side_calls_nothing_a_regression_that_two_runs_of_the_same_thing_differ_by() -> None:
    slower = 20.0 * (1 + RUN_TO_RUN["warm latency"] * 0.9)
    changes = diff([run(1)], [run(2, warm_ms=slower)], threshold=0.05)
    change = next(each for each in changes if each.what == "warm latency")
    assert (change.significant, change.regression) == (True, False)
    assert change.sentence.endswith("worse, by no more than two runs of the same thing differ")
    assert "warm latency by up to 15%" in limits([run(1)], [run(2)])


def test_several_runs_a_side_rest_on_runs_which_differ_by_a_law_of_their_own() -> None:
    """Runs of the same thing are 8 % apart: no regression; 70 % more is one."""
    random = np.random.default_rng(3)
    levels = 20 * random.lognormal(0, 0.08, 8)
    same = diff([run(i, warm_ms=ms) for i, ms in enumerate(levels[:4])],
                [run(9 + i, warm_ms=ms) for i, ms in enumerate(levels[4:])])  # fmt: skip
    assert regressions(same) == []
    slower = diff([run(i, warm_ms=ms) for i, ms in enumerate(levels[:4])],
                  [run(9 + i, warm_ms=1.7 * ms) for i, ms in enumerate(levels[4:])])  # fmt: skip
    assert "warm p50" in regressions(slower)
    assert limits([run(1)] * 4, [run(2)] * 3).startswith("4 and 3 runs")


def test_equal_sides_of_three_runs_are_called_different_as_seldom_as_promised() -> None:
    """200 times, five figures each, corrected together: 5 % of the times, give or take chance."""
    random = np.random.default_rng(4)
    called = 0
    for _ in range(200):
        values = [np.exp(random.normal(3, 0.05, (2, 3))) for _ in range(3)]
        changes = [_change_of_runs("aws", f"f{i}", [list(v[0]), list(v[1])], missing=0) for i, v in enumerate(values)]
        called += any(each.significant for each in judged(changes, threshold=0.0))
    assert called <= 0.10 * 200


def test_the_command_takes_any_number_of_runs_a_side_and_each_format(tmp_path: Path) -> None:
    before = [stored(run(i), tmp_path / f"b{i}") for i in range(3)]
    after = [stored(run(10 + i, warm_ms=40), tmp_path / f"a{i}") for i in range(3)]
    invoke = CliRunner().invoke
    text = invoke(command, ["--before", *before, "--after", *after])
    assert text.exit_code == 1
    assert "3 and 3 runs: how runs of the same thing differ is in the p values" in text.output
    github = invoke(command, ["--before", *before, "--after", *after, "--format", "github"])
    assert "::error title=aws warm p50::" in github.output
    assert "%25" in github.output, "a percent sign is escaped in a workflow command"
    markdown = invoke(command, ["--before", *before, "--after", *after, "--format", "md"]).output
    assert "| aws | warm p50 |" in markdown
    suite = ElementTree.fromstring(
        invoke(command, ["--before", *before, "--after", *after, "--format", "junit"]).output
    )
    assert int(suite.get("failures", "0")) == len(suite.findall("testcase/failure")) >= 1
    assert int(suite.get("tests", "0")) == len(suite.findall("testcase"))
    assert invoke(command, ["--before", *before]).exit_code == 2
    assert invoke(command, [before[0]]).exit_code == 2, "it measured one version"
    assert invoke(command, [*before]).exit_code == 2


def test_a_run_of_two_versions_is_judged_by_itself(tmp_path: Path) -> None:
    old = replace(AWS, name="aws-before")
    header = {**HEADER, "targets": [AWS.document(), old.document()], "against": "commit 123"}
    warm, before = (
        [each for each in run(seed, warm_ms=ms).samples if each.stratum == "steady"]
        for seed, ms in ((1, 23), (2, 20))
    )
    moved = [replace(each, index=1000 + each.index, target="aws-before") for each in before]
    record = RunData(header, [AWS, old], [*warm, *moved])
    changes = changes_against(header, record.columns)
    assert changes is not None
    assert regressions(changes) == ["warm latency", "warm p95"], "15 % more, found within one run"
    done = CliRunner().invoke(command, [stored(record, tmp_path / "both")])
    assert done.exit_code == 1
    assert "against commit 123, in the same run" in done.output
    assert CliRunner().invoke(command, [str(tmp_path / "both"), "--threshold", "50"]).exit_code == 0
    assert changes_against(HEADER, record.columns) is None
