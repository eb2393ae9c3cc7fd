"""Subjects really run: each answers, tells its times, and ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters import contract
from bench import inputs, measure, selection
from bench.processes import BenchSubject, RunningSubject, SubjectFailed, running


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> inputs.BenchInputs:
    return inputs.prepare(tmp_path_factory.mktemp("bench"), images=inputs.SAMPLES, count=2, seed=1)


def quiet(phase: str, done: int, whole: int) -> None:
    """Show nothing."""


def test_material_has_images_events_and_two_bundles(prepared: inputs.BenchInputs) -> None:
    assert prepared.images == 2
    for cloud in contract.clouds():
        event = json.loads((prepared.work / f"{cloud}-1.json").read_text())
        assert "$image_base64" not in json.dumps(event)
    assert list(prepared.bundle.rglob("*.pyc"))
    assert not list(prepared.bare_bundle.rglob("*.pyc"))
    assert (prepared.bare_bundle / "core" / "service.py").is_file()


def test_every_warm_subject_answers_and_tells_its_time_and_memory(prepared: inputs.BenchInputs) -> None:
    found = measure.warm(selection.warm(), prepared, rounds=2, seed=1, progress=quiet)
    assert {f"ours {cloud}" for cloud in contract.clouds()} <= set(found.by_subject)
    for name, times_s in found.by_subject.items():
        assert len(times_s) == 2, name
        assert all(time_s > 0 for time_s in times_s), name
        assert 5 < found.peak_mb[name] < 2000, name


def test_every_cold_subject_starts_answers_and_ends(prepared: inputs.BenchInputs) -> None:
    found = measure.cold(selection.cold(prepared), prepared, rounds=1, seed=1, progress=quiet)
    assert {"floor", "plain", "plain without pyc"} <= set(found.by_subject)
    for name, times_s in found.by_subject.items():
        assert times_s[0] >= found.cpu_by_subject[name][0] * 0.2 > 0, name


def test_threads_and_memory_give_rows(prepared: inputs.BenchInputs) -> None:
    rows = measure.run_threads(selection.threads(rounds=1, requests=8), prepared)
    assert {(row["level"], row["subject"]) for row in rows} == {
        (n, s) for n in (1, 2, 4, 8) for s in ("pool", "lock")
    }
    found = measure.run_memory(selection.memory("litert"), prepared)
    assert len(found["resident_kb"]) == 5
    assert found["resident_kb"][-1] > found["resident_kb"][0]


def test_a_subject_that_fails_is_told_with_its_last_lines(prepared: inputs.BenchInputs) -> None:
    broken = BenchSubject("broken", "handler", ("nowhere",))
    with pytest.raises(SubjectFailed, match="unknown cloud 'nowhere'"):
        RunningSubject(broken, prepared.work)


def test_nothing_is_left_running_when_one_of_several_fails(prepared: inputs.BenchInputs) -> None:
    first = selection.warm()[0]
    with (
        pytest.raises(SubjectFailed),
        running([first, BenchSubject("broken", "handler", ("nowhere",))], prepared.work),
    ):
        pytest.fail("the second subject does not start")


def test_a_folder_without_photographs_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"has no \.jpg or \.jpeg files"):
        inputs.prepare(tmp_path, images=tmp_path, count=1, seed=1)
