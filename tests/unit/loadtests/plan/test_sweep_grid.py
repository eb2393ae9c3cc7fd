from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from adapters import contract
from loadtests.cost.plans import load_plan
from loadtests.plan.sweep_grid import CloudOptions, SweepError, SweepRequest, grid_points, next_size, usual_sizes

LINEAR: dict[str, Any] = {"default_mb": 1769, "minimum_mb": 128, "maximum_mb": 10240, "step_mb": 1}
FIXED: dict[str, Any] = {"default_mb": 2048, "minimum_mb": 512, "maximum_mb": 4096, "sizes_mb": [512, 2048, 4096]}


def offer(
    cloud: str, memory: dict[str, Any], *, most: int = 1, architectures: tuple[str, ...] = ("x86_64",)
) -> CloudOptions:
    return CloudOptions(cloud, memory, {"concurrency": 1, "concurrency_max": most}, architectures)


LAMBDA = offer("aws", LINEAR, architectures=("x86_64", "arm64"))
FLEX = offer("azure", FIXED, most=1000)


def names(offers: list[CloudOptions], wish: SweepRequest, *, machine: str | None = None) -> list[str]:
    return [trial.name for trial in grid_points(offers, wish, machine=machine)[0]]


@pytest.mark.parametrize(("asked_mb", "size_mb"), [(512, 512), (513, 2048), (1, 512), (4096, 4096), (4097, None)])
def test_a_cloud_of_few_sizes_gives_the_next_larger_one(asked_mb: int, size_mb: int | None) -> None:
    assert next_size(FIXED, asked_mb) == size_mb


@pytest.mark.parametrize(("asked_mb", "size_mb"), [(1, 128), (1000, 1000), (10240, 10240), (10241, None)])
def test_a_cloud_of_many_sizes_gives_what_is_asked_within_its_limits(asked_mb: int, size_mb: int | None) -> None:
    assert next_size(LINEAR, asked_mb) == size_mb


def test_a_size_between_two_steps_is_raised_to_the_upper_one() -> None:
    assert next_size({**LINEAR, "step_mb": 64}, 130) == 192


def test_every_cloud_has_three_usual_sizes_that_it_offers() -> None:
    for cloud in contract.clouds():
        data = contract.load(cloud).data
        sizes = usual_sizes(data["memory"])
        assert len(sizes) == 3, cloud
        assert all(next_size(data["memory"], size) == size for size in sizes), cloud
        assert data["memory"]["default_mb"] in sizes, cloud
        assert load_plan(cloud, data["platform"]["plan"]).architectures, cloud


def test_a_size_that_stands_for_another_is_told_and_tried_once() -> None:
    found, notes = grid_points([LAMBDA, FLEX], SweepRequest(memory_mb=(512, 1024, 1769)))
    assert [trial.name for trial in found] == ["aws-512", "aws-1024", "aws-1769", "azure-512", "azure-2048"]
    assert notes == [
        "azure has no 1024 MB: 2048 MB, its next size, stands for it",
        "azure has no 1769 MB: 2048 MB, its next size, stands for it",
    ]


def test_a_size_beyond_a_clouds_largest_is_left_out_of_that_cloud_alone() -> None:
    found, notes = grid_points([LAMBDA, FLEX], SweepRequest(memory_mb=(8192,)))
    assert [trial.name for trial in found] == ["aws-8192"]
    assert notes == ["azure has no 8192 MB (at most 4096 MB): left out"]


def test_concurrency_is_swept_where_the_plan_has_it() -> None:
    wish = SweepRequest(memory_mb=(512,), concurrency=(1, 4))
    found, notes = grid_points([LAMBDA, FLEX], wish)
    assert [trial.name for trial in found] == ["aws-512-c1", "azure-512-c1", "azure-512-c4"]
    assert notes == ["an instance of aws serves at most 1 at a time: concurrency 4 left out"]


def test_architecture_is_swept_where_the_plan_has_it() -> None:
    wish = SweepRequest(memory_mb=(512,), architectures=("x86_64", "arm64"))
    assert names([LAMBDA, FLEX], wish) == ["aws-512-x86_64", "aws-512-arm64", "azure-512-x86_64"]
    assert "azure's plan has no arm64: left out" in grid_points([LAMBDA, FLEX], wish)[1]


def test_a_machine_does_not_measure_an_architecture_that_it_is_not() -> None:
    wish = SweepRequest(memory_mb=(512,), architectures=("x86_64", "arm64"))
    found, notes = grid_points([LAMBDA], wish, machine="x86_64")
    assert [trial.architecture for trial in found] == ["x86_64"]
    assert any("this machine is x86_64" in note and "--targets" in note for note in notes)


def test_a_sweep_of_nothing_says_why() -> None:
    with pytest.raises(SweepError, match="azure has no 8192 MB"):
        grid_points([FLEX], SweepRequest(memory_mb=(8192,)))


def test_pythons_that_are_not_set_up_here_are_left_out_and_the_next_step_is_said() -> None:
    offer = replace(LAMBDA, pythons=("3.11", "3.12", "3.14"))
    wish = SweepRequest(memory_mb=(512,), pythons=("3.11", "3.12", "3.14", "2.7"))
    found, notes = grid_points([offer], wish, installed=("3.11", "3.12"))
    assert [(each.name, each.python) for each in found] == [("aws-512-py3.11", "3.11"), ("aws-512-py3.12", "3.12")]
    assert any("make setup PYTHON=python3.14" in note for note in notes)
    assert any("has no Python 2.7" in note for note in notes)
    deployed, _ = grid_points([offer], wish)
    assert [each.python for each in deployed] == ["3.11", "3.12", "3.14"]
