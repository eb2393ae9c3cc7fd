"""Which functions `tripoint tune --deploy` makes, and what is told before."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from adapters.deployment.function_spec import FunctionSpec
from cli.commands.tune import command
from cli.measurement.variants import variants_to_sweep
from loadtests.plan.sweep_grid import SweepRequest
from loadtests.plan.targets import Target, write_targets

LISTED = """
[[variants]]
cloud = "aws"
memory_mb = 1769
architecture = "arm64"
region = "eu-west-1"
[[variants]]
cloud = "aws"
memory_mb = 512
[[variants]]
cloud = "gcp"
concurrency = 8
"""


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> tuple[int, str]:
    """The exit status and all output of `tripoint tune`, with nobody at the keyboard."""
    found = CliRunner().invoke(command, list(arguments))
    return found.exit_code, found.output


def sweep(*clouds: str, **settings: tuple[int, ...]) -> tuple[list[FunctionSpec], list[str]]:
    """The functions that are deployed for a sweep of these settings."""
    return variants_to_sweep(
        clouds, SweepRequest(settings.get("memory_mb"), settings.get("concurrency")), model="clothes"
    )


def test_each_size_is_a_variant_and_a_cloud_that_lacks_one_says_what_stands_for_it() -> None:
    variants, notes = sweep("aws", "azure", memory_mb=(512, 1024))
    assert variants == [FunctionSpec(cloud, memory_mb=size) for cloud in ("aws", "azure") for size in SIZES[cloud]]
    assert notes == ["azure has no 1024 MB: 2048 MB, its next size, stands for it"]


SIZES = {"aws": (512, 1024), "azure": (512, 2048)}


def test_without_sizes_the_clouds_usual_ones_are_tried() -> None:
    variants, _ = sweep("aws")
    assert [variant.memory_mb for variant in variants] == [512, 1024, 1769]


def test_several_variants_of_the_file_are_the_settings_unless_others_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "tripoint.toml").write_text(LISTED, encoding="utf-8")
    variants, _ = sweep("aws")
    assert [(each.memory_mb, each.architecture) for each in variants] == [(1769, "arm64"), (512, "x86_64")]
    variants, _ = sweep("aws", memory_mb=(256, 300))
    assert [(each.memory_mb, each.architecture, each.region) for each in variants] == [
        (256, "arm64", "eu-west-1"),
        (300, "arm64", "eu-west-1"),
    ]


def test_what_is_not_asked_for_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "tripoint.toml").write_text(LISTED, encoding="utf-8")
    variants, _ = sweep("gcp", memory_mb=(1024,))
    assert [(each.memory_mb, each.concurrency) for each in variants] == [(1024, 8)]
    variants, _ = sweep("gcp", memory_mb=(1024,), concurrency=(1, 4))
    assert [each.concurrency for each in variants] == [1, 4]


def test_real_targets_are_not_swept_before_somebody_agrees_to_the_most_that_is_sent(tmp_path: Path) -> None:
    aws = Target("aws", "aws", "on-demand", "us-east-1", 1769, "https://x.lambda-url.us-east-1.on.aws/")
    write_targets(tmp_path / "mine.json", [aws])
    status, output = said("--targets", "mine.json", "--budget", "2")
    assert status == 2
    assert "cost    at most 646 requests, about 0.00" in output
    assert "budget  2.0 USD: the run ends before it could cost more" in output
    assert "there is no terminal to ask on: add --yes" in output
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--deploy", "aws", "--targets", "x.json"), "--deploy and --targets do not go together"),
        (("--deploy", "aws", "--clouds", "gcp"), "--clouds and --deploy exclude each other"),
        (("--targets", "deployed", "--memory", "512"), "--memory and --targets exclude each other"),
        (("--targets", "deployed"), "`tripoint deploy apply` makes it"),
        (("--targets", "nowhere.json"), "give a file of targets, or 'deployed'"),
    ],
)
def test_what_does_not_go_together_is_told_with_the_next_step(arguments: tuple[str, ...], message: str) -> None:
    status, output = said(*arguments)
    assert (status, message in output) == (2, True), output
