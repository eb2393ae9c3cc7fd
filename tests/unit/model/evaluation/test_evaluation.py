"""The evaluation of a model: measured in fresh processes, worked out purely, written in one step."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from cli.commands.model.evaluate import command
from loadtests.stats.estimate import Estimate
from loadtests.stats.proportion import wilson
from model.evaluation.calibration import calibration, confidences, expected_calibration_error
from model.evaluation.evaluation import Asked, Evaluation, NothingAnswered, evaluate
from model.evaluation.output import BEGIN, END, check_page, update_page
from model.evaluation.photographs import find
from model.evaluation.pictures import frontier_svg
from model.evaluation.price import offer
from model.evaluation.processes import EvaluationProcess, EvaluationSubject, PhotographAnswer, SubjectUnfit
from model.evaluation.result import Task, row, time_ratio, with_standings
from model.evaluation.rounds import MeasuredRounds
from model.evaluation.selection import NothingToMeasure, lineup, open_models
from model.training.dataset import DatasetError
from tests.paths import ROOT

CLOTHES = ROOT / "model" / "clothes"
SUBJECT = EvaluationSubject("pets", Path("pets"), "int8", "litert", recommended=True)
AWS = offer("aws/on-demand", 1769, requests="10M/month", cold_share="1%")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples in class folders: what stands before the last dash of a name is the label."""
    folder = tmp_path_factory.mktemp("samples")
    for file in sorted((ROOT / "model" / "samples").glob("*.jpg")):
        label = file.stem.rpartition("-")[0]
        (folder / label).mkdir(exist_ok=True)
        shutil.copy(file, folder / label)
    return folder


def quick(data: Path, **changes: Any) -> Asked:
    return replace(
        Asked((CLOTHES,), data, AWS, runtimes=("litert",), starts=1, command="tripoint model evaluate"), **changes
    )


@pytest.fixture(scope="module")
def found(data: Path) -> Evaluation:
    return evaluate(quick(data), told=lambda phase, done, total: None)


def test_each_variant_has_all_its_figures(found: Evaluation) -> None:
    assert [each.subject.variant for each in found.rows] == ["int8", "float16"]
    for each in found.rows:
        assert each.accuracy.n == len(found.photographs.files) >= 10
        assert each.accuracy.value >= 0.9
        assert each.inference_ms.value is not None
        assert 0 < each.inference_ms.value < (each.request_ms.value or 0)
        assert each.peak_mb > 10
        assert each.usd_per_million.value is not None
        assert each.counts.sum() == each.accuracy.n
    assert found.preferred.subject.variant == "int8"
    assert found.rows[0].size_bytes == (CLOTHES / "clothes-int8.tflite").stat().st_size


def test_what_too_few_starts_cannot_tell_is_said(found: Evaluation) -> None:
    assert found.rows[0].start_ms.value is None
    assert found.rows[0].start_ms.reason == "not estimable (n=1, needs 6)"
    assert found.rows[0].calibration_error.reason is not None
    assert "needs 50" in found.rows[0].calibration_error.reason


def test_the_command_writes_a_folder_from_which_every_figure_follows(data: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n{BEGIN}\nstale\n{END}\nrest\n", encoding="utf-8")
    out = tmp_path / "out"
    words = ["clothes", "--data", str(data), "--runtime", "litert", "--variant", "int8", "--starts", "0"]
    result = CliRunner().invoke(command, [*words, "--out", str(out), "--page", str(page), "--json", "--quiet"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    assert str(tmp_path) not in json.dumps(document["rows"]) + page.read_text(encoding="utf-8")
    with gzip.open(out / "answers.jsonl.gz", "rt", encoding="utf-8") as stream:
        answers = [json.loads(line) for line in stream]
    right = sum(max(each["scores"], key=each["scores"].get) == each["label"] for each in answers)
    assert document["rows"][0]["accuracy"]["value"] == right / len(answers)
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Page\n{BEGIN}\n")
    assert text.endswith(f"{END}\nrest\n")
    assert "stale" not in text
    for name in ("frontier", "confusion"):
        for picture in (out / f"{name}.svg", tmp_path / "pictures" / f"clothes-{name}.svg"):
            svg = picture.read_text(encoding="utf-8")
            assert svg.startswith("<svg")
            assert len(svg) < 200_000
            assert "http" not in svg.replace("http://www.w3.org", "")


def test_the_report_for_people_names_what_it_must(data: Path, tmp_path: Path) -> None:
    words = ["clothes", "--data", str(data), "--runtime", "litert", "--starts", "0", "--photos", "8"]
    result = CliRunner().invoke(command, [*words, "--out", str(tmp_path / "out"), "--quiet"])
    assert result.exit_code == 0, result.output
    told = " ".join(result.stdout.split())
    for part in ("8 photographs", "int8 litert", "float16 litert", "aws/on-demand x86_64", "without the free grant"):
        assert part in told
    report = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert "![Accuracy against time and cost](frontier.svg)" in report
    assert "Most frequent mistakes:" in report


def test_a_runtime_that_refuses_a_file_is_told_and_the_others_are_measured(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    shutil.copytree(CLOTHES, folder)
    (folder / "clothes-float16.tflite").write_bytes(b"not a model")
    found = evaluate(quick(data, folders=(folder,), starts=0), told=lambda *_: None)
    assert [each.subject.variant for each in found.rows] == ["int8"]
    ((subject, reason),) = found.measured.unfit.items()
    assert subject.variant == "float16"
    assert "sha256" in reason
    (folder / "clothes-int8.tflite").unlink()
    with pytest.raises(NothingAnswered, match=r"int8 litert: .* cannot be read"):
        evaluate(quick(data, folders=(folder,), starts=0), told=lambda *_: None)


def test_a_file_that_is_no_photograph_is_left_out_for_all(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    (tmp_path / "data" / "hat" / "zz.jpg").write_bytes(b"\xff\xd8\xff broken")
    found = evaluate(quick(tmp_path / "data", starts=0, variants=("int8",)), told=lambda *_: None)
    assert found.broken == ("zz.jpg",)
    assert len(found.photographs.files) == sum(1 for _ in data.rglob("*.jpg"))


def test_a_process_that_dies_says_its_last_words(tmp_path: Path) -> None:
    nowhere = EvaluationSubject("gone", tmp_path / "gone", "int8", "litert", recommended=True)
    with pytest.raises(SubjectUnfit, match=r"manifest\.json cannot be read"):
        EvaluationProcess(nowhere, tmp_path / "photo.jpg")
    missing = EvaluationSubject("clothes", CLOTHES, "int4", "litert", recommended=True)
    with pytest.raises(SubjectUnfit, match="the process ended with status 1: StopIteration"):
        EvaluationProcess(missing, tmp_path / "photo.jpg")


def test_photographs_come_from_the_validation_folder_where_there_is_one(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data" / "validation")
    labels = open_models([CLOTHES])[0].labels
    found = find(tmp_path / "data", labels, limit=None, seed=1)
    assert found.folder.name == "validation"
    few = find(data, labels, limit=5, seed=1)
    assert len(few.files) == 5
    assert few == find(data, labels, limit=5, seed=1)
    with pytest.raises(DatasetError, match="class folders dress, hat"):
        find(data, ["cat", "dog"], limit=None, seed=1)


def test_only_what_there_is_can_be_measured() -> None:
    models = open_models([CLOTHES])
    assert [each.recommended for each in lineup([CLOTHES], models, variants=["float16"], runtimes=["litert"])] == [
        True
    ]
    assert [each.name for each in lineup([CLOTHES], models, variants=["int8"], runtimes=["litert"])] == [
        "clothes int8 litert"
    ]
    with pytest.raises(NothingToMeasure, match="the variants are float16, int8"):
        lineup([CLOTHES], models, variants=["int4"], runtimes=[])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["no-such-model"], "unknown model 'no-such-model'"),
        (["clothes", "--plan", "aws"], "plan 'aws': expected CLOUD/PLAN such as aws/on-demand"),
        (["clothes", "--plan", "aws/never"], "unknown plan 'never'"),
        (["clothes", "--memory-mb", "7"], "memory 7 MB: expected 128 to"),
        (["clothes", "--variant", "int4"], "the variants are float16, int8"),
    ],
)
def test_the_command_says_what_it_expects(data: Path, words: list[str], told: str) -> None:
    result = CliRunner().invoke(command, [*words, "--data", str(data), "--quiet"])
    assert result.exit_code != 0
    assert told in " ".join(result.output.split()) + str(result.exception)


def test_a_page_without_marks_is_refused_before_anything_is_measured(tmp_path: Path, found: Evaluation) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Page\n", encoding="utf-8")
    for use in (check_page, lambda at: update_page(found, at)):
        with pytest.raises(ValueError, match="expected one line <!-- evaluation: begin -->"):
            use(page)


# The arithmetic.


def _measured(answers: Sequence[PhotographAnswer]) -> MeasuredRounds:
    return MeasuredRounds({SUBJECT: list(answers)}, {SUBJECT: [0.1] * 6}, {SUBJECT: 40.0}, {}, [0.001] * len(answers))


def _answer(cat: float, dog: float, ms: float = 2.0) -> PhotographAnswer:
    return PhotographAnswer({"cat": cat, "dog": dog}, (0.5, 0.25, ms))


def test_the_figures_are_those_of_the_answers() -> None:
    answers = [
        _answer(0.9, 0.1),
        _answer(0.2, 0.8),
        _answer(0.7, 0.3),
        _answer(0.4, 0.6),
        _answer(1, 0),
        _answer(1, 0),
    ]
    task = Task(("cat", "dog"), (0, 1, 1, 1, 0, 0), logits=False)
    one = row(
        SUBJECT,
        _measured(answers),
        task=task,
        size_bytes=7,
        price=lambda times, start: Estimate(n=1, value=sum(times) + start),
    )
    assert one.counts.tolist() == [[3, 0], [1, 2]]
    assert one.accuracy.value == 5 / 6
    assert (one.inference_ms.value, one.request_ms.value) == (2.0, 2.75)
    assert one.start_ms.value == pytest.approx(100)
    assert one.usd_per_million.value == pytest.approx(6 * 2.75 + 100)


def test_a_ratio_is_taken_photograph_by_photograph() -> None:
    slow = [_answer(1, 0, ms) for ms in (4.0, 8.0, 40.0, 4.0, 6.0, 2.0)]
    fast = [_answer(1, 0, ms) for ms in (2.0, 4.0, 20.0, 2.0, 3.0, 1.0)]
    assert time_ratio(slow, fast).value == 2.0


def test_the_frontier_is_of_error_time_and_cost_together(found: Evaluation) -> None:
    first = found.rows[0]
    same = Estimate(n=9, value=1.0, lo=0.9, hi=1.1)
    slow = Estimate(n=9, value=9.0, lo=8.0, hi=10.0)
    base = replace(first, request_ms=same, usd_per_million=same)
    worse = replace(base, request_ms=slow, usd_per_million=slow)
    assert [each.standing for each in with_standings([base, worse])] == ["frontier", "near"]  # the errors are alike


def test_what_is_hardly_ever_right_is_named_in_the_picture_and_does_not_press_the_others(found: Evaluation) -> None:
    broken = replace(
        found.rows[1], accuracy=wilson(1, 12), subject=replace(SUBJECT, variant="dynamic", runtime="tflite-runtime")
    )
    svg = frontier_svg([found.rows[0], broken], several_models=False)
    assert "accuracy below the picture: dynamic on tflite-runtime (0.083)" in svg
    assert "accuracy below the picture" not in frontier_svg(found.rows, several_models=False)


def test_a_picture_without_any_median_says_so(found: Evaluation) -> None:
    nothing = Estimate(n=3, reason="not estimable (n=3, needs 6)")
    svg = frontier_svg([replace(found.rows[0], request_ms=nothing)], several_models=False)
    assert "too few photographs for a median time" in svg


def test_the_calibration_error_of_a_made_up_model_is_what_it_was_made_with() -> None:
    generator = np.random.default_rng(3)
    confidence = generator.uniform(0.5, 1.0, 4000)
    honest = generator.uniform(size=4000) < confidence
    boastful = generator.uniform(size=4000) < confidence - 0.2
    assert expected_calibration_error(confidence, honest) < 0.03
    found = calibration(confidence, boastful)
    assert found.value == pytest.approx(0.2, abs=0.03)
    assert found.lo is not None
    assert found.hi is not None
    assert found.lo <= 0.2 <= found.hi
    assert found.hi - found.lo < 0.06


def test_the_calibration_error_agrees_with_a_hand_count() -> None:
    confidence = np.array([0.6, 0.6, 0.9, 0.9])
    right = np.array([True, False, True, True])
    assert expected_calibration_error(confidence, right, bins=2) == pytest.approx((0.1 * 2 + 0.1 * 2) / 4)


def test_logits_become_probabilities_before_they_are_believed() -> None:
    scores = np.array([[0.0, 0.0], [np.log(3.0), 0.0]])
    assert confidences(scores, logits=True) == pytest.approx([0.5, 0.75])
    assert confidences(np.array([[0.2, 0.8]]), logits=False) == pytest.approx([0.8])


def test_half_a_processor_doubles_the_billed_time_and_more_than_one_changes_nothing() -> None:
    half, whole, double = (
        offer("aws/on-demand", memory_mb, requests="1M", cold_share="0%") for memory_mb in (884, 1769, 3538)
    )
    assert [round(each.vcpu, 2) for each in (half, whole, double)] == [0.5, 1.0, 2.0]
    times = [100.0] * 10
    costs = [each.usd_per_million(times, 0.0).value or 0 for each in (half, whole, double)]
    # 0.0000166667 USD per GB-s and 0.20 USD per million requests: aws.amazon.com/lambda/pricing, read 2026-11-20
    compute = 1e6 * 0.1 * 1769 / 1024 * 0.0000166667
    assert costs[2] - costs[1] == pytest.approx(compute, rel=1e-4)
    assert compute + 0.20 < costs[1] < compute + 0.20 + 0.10  # and a kilobyte of answer leaves the cloud
    assert costs[0] == pytest.approx(costs[1], rel=0.01)


def test_cold_starts_are_paid_for() -> None:
    cold = offer("aws/on-demand", 1769, requests="1M", cold_share="10%")
    warm = offer("aws/on-demand", 1769, requests="1M", cold_share="0%")
    assert (cold.usd_per_million([10.0] * 9, 500.0).value or 0) > (
        warm.usd_per_million([10.0] * 9, 500.0).value or 0
    ) + 1
    assert "10.0% of them cold" in cold.words
