"""Every kind of load against null servers, whose behaviour is known: natural cold starts, closed loop, traces."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from loadtests.launch import RunRequest, run
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits.load import ledger, null_target, write_images

if TYPE_CHECKING:
    from pathlib import Path

    from loadtests.plan.targets import Target
    from loadtests.record.sample import Sample


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return write_images(tmp_path / "images")


def play(folder: Path, images: Path, target: Target, scenario: str, **settings: str) -> list[Sample]:
    """Play a scenario that is given as TOML, or by name; return its samples without the probes."""
    name = scenario
    if "[[phases]]" in scenario:
        (folder / "mine.toml").write_text(scenario, encoding="utf-8")
        name = str(folder / "mine.toml")
    ended = run(RunRequest(folder / "run", [target], images, scenario=name, settings=settings))
    assert ended.message == ""
    with open_store(folder / "run") as store:
        return [sample for sample in classify_samples(store.samples()) if sample.worker != "probe"]


def test_an_idle_gap_gives_natural_cold_starts_and_they_equal_the_ledger(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "idle"\nrounds = 3\ngap_s = 0.6\nidle_life_s = 0.4\n'
    with null_target("aws", "--cold-ms", "50") as target:
        samples = play(tmp_path, images, target, phase)
        assert Counter((each.stratum, each.state) for each in samples) == {("natural", "cold"): 3}
        assert ledger(target)["cold"] == 4  # one of them was a probe's


def test_a_burst_sends_its_requests_at_the_same_moment(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "bursts"\nbursts = 2\nsize = 8\ngap_s = 0.5\n'
    with null_target("aws", "--delay-ms", "100") as target:
        samples = play(tmp_path, images, target, phase)
    moments = Counter(round(each.intended_s, 6) for each in samples)
    assert list(moments.values()) == [8, 8]
    first, second = sorted(moments)
    assert second - first == pytest.approx(0.5, abs=1e-5)
    assert {each.stratum for each in samples} == {"burst"}
    assert all((each.latency_ms or 0) < 350 for each in samples), "they wait for each other"


def test_a_closed_loop_waits_for_answers_and_the_header_says_so(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "closed"\nusers = 4\nthink_s = 0.1\nduration_s = 2\n'
    with null_target("aws", "--delay-ms", "100") as target:
        samples = play(tmp_path, images, target, phase)
        assert len(samples) + 6 == ledger(target)["served"]
    with open_store(tmp_path / "run") as store:
        assert store.header()["loop"] == "closed"
        assert store.schedule() == []
    assert len({each.index for each in samples}) == len(samples)
    # Four users, each asking at most once in 100 ms of answer: never more than 4 x 2 s / 0.1 s.
    assert 20 <= len(samples) <= 80
    assert all(each.slip_ms is not None and each.slip_ms < 5 for each in samples)


def test_a_trace_is_replayed_faster_with_its_own_gaps(tmp_path: Path, images: Path) -> None:
    (tmp_path / "mine.csv").write_text(
        "TIMESTAMP,ContextTokens\n2023-11-16 18:17:03.9799600,1\n2023-11-16 18:17:13.9799600,1\n"
        "2023-11-16 18:17:15.4799600,1\n",
        encoding="utf-8",
    )
    phase = '[[phases]]\nkind = "trace"\nfile = "mine.csv"\nspeed = 20\n'
    with null_target("aws") as target:
        samples = play(tmp_path, images, target, phase)
    gaps = [after.intended_s - before.intended_s for before, after in itertools.pairwise(samples)]
    assert gaps == pytest.approx([0.5, 0.075], abs=1e-4)


def test_more_requests_than_may_wait_are_dropped_and_counted(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "bursts"\nbursts = 1\nsize = 10\ngap_s = 1\n'
    with null_target("aws", "--delay-ms", "200") as target:
        samples = play(tmp_path, images, target, phase, **{"in-flight-max": "4"})
        assert ledger(target)["served"] == 6 + 4
    assert Counter((each.outcome, each.error) for each in samples) == {
        ("ok", None): 4,
        ("dropped", "in_flight_limit"): 6,
    }


def test_a_request_without_an_answer_in_time_is_a_timeout(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "constant"\nrate = 4\ncount = 8\n'
    with null_target("aws", "--stall", "1.0+1.5") as target:
        samples = play(tmp_path, images, target, phase, **{"request-timeout": "0.5"})
    outcomes = Counter(each.outcome for each in samples)
    assert outcomes["timeout"] >= 1
    assert outcomes["ok"] >= 1
    assert sum(outcomes.values()) == 8
    late = [each for each in samples if each.outcome == "timeout"]
    assert all(each.done_s is None and "0.5 s" in str(each.error) for each in late)


def test_a_run_ends_when_it_knows_enough_and_says_why(tmp_path: Path, images: Path) -> None:
    phase = '[[phases]]\nkind = "constant"\nrate = 100\ncount = 3000\n'
    with null_target("aws", "--delay-ms", "5") as target:
        samples = play(tmp_path, images, target, phase, **{"requests-max": "200"})
    assert 200 <= len(samples) < 600
    with open_store(tmp_path / "run") as store:
        [enough] = store.events("enough")
        assert [event.kind for event in store.events()][-1] == "finished"
        assert len(store.schedule()) == 3000
    assert "the limit" in enough.document["reason"]
    assert enough.document["unsent"] > 0


def test_an_unknown_phase_is_refused_before_anything_is_sent(tmp_path: Path, images: Path) -> None:
    (tmp_path / "mine.toml").write_text('[[phases]]\nkind = "wobble"\n', encoding="utf-8")
    with null_target() as target:
        ended = run(RunRequest(tmp_path / "run", [target], images, scenario=str(tmp_path / "mine.toml")))
        assert ledger(target)["served"] == 0
    assert ended.exit_code == 2
    assert "phase kind 'wobble': expected one of forced, constant" in ended.message


def test_the_header_keeps_every_effective_setting(tmp_path: Path, images: Path) -> None:
    with null_target() as target:
        play(tmp_path, images, target, "smoke", rate="50")
    with open_store(tmp_path / "run") as store:
        header = store.header()
    assert json.loads(json.dumps(header)) == header
    assert header["phases"][1] == {
        "kind": "constant",
        "loop": "open",
        "name": "steady",
        "rate": 50.0,
        "count": 20,
        "warm_up": 0,
    }
    wanted = {"tripoint", "git_commit", "python", "locust", "machine", "price_book", "started_at", "command", "seed"}
    assert wanted <= set(header)
