"""Kinds of load that need the real Locust: its users, its options, and what a null server knows of itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loadtests.launch import RunRequest, run
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits.load import ledger, null_target, write_images

if TYPE_CHECKING:
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


PHASES = """
[[phases]]
kind = "idle"
rounds = 3
gap_s = 0.6
idle_life_s = 0.4
[[phases]]
kind = "closed"
users = 4
think_s = 0.1
duration_s = 2
"""


def test_idle_gaps_give_natural_cold_starts_and_users_wait_for_answers(tmp_path: Path, images: Path) -> None:
    settings = {"rate": "50", "request-timeout": "7", "in-flight-max": "77"}
    with null_target("aws", "--delay-ms", "100", "--cold-ms", "50") as target:
        samples = play(tmp_path, images, target, PHASES, **settings)
        truth = ledger(target)
    natural = [sample for sample in samples if sample.stratum == "natural"]
    assert [sample.state for sample in natural] == ["cold"] * 3
    with open_store(tmp_path / "run") as store:
        header, scheduled, every = store.header(), store.schedule(), store.samples()
    assert sum(sample.state == "cold" for sample in every) == truth["cold"] >= 4  # one of them was a probe's
    assert len(every) == truth["served"]
    # Four users, each sending at most once in 100 ms of waiting: never more than 4 x 2 s / 0.1 s.
    asked = [sample for sample in samples if sample.stratum != "natural"]
    assert len({sample.index for sample in samples}) == len(samples)
    assert 20 <= len(asked) <= 80
    assert all(sample.slip_ms is not None and sample.slip_ms < 5 for sample in asked)
    assert len(scheduled) == 3, "a closed loop has no schedule"
    assert json.loads(json.dumps(header)) == header
    assert (header["loop"], header["timeout_s"], header["in_flight_max"]) == ("closed", 7.0, 77)
    assert (header["phases"][1]["kind"], header["phases"][1]["loop"]) == ("closed", "closed")
    wanted = {"tripoint", "git_commit", "python", "locust", "machine", "price_book", "started_at", "command", "seed"}
    assert wanted <= set(header)


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
