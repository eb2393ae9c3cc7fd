from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from loadtests.run.options import NO_IMAGES, NO_TARGETS, OptionsError, parse

GIVEN: dict[str, Any] = {
    "targets": "t.json",
    "images": "photos",
    "run_dir": "",
    "scenario": "quick",
    "seed": 3,
    "rate": 0.0,
    "request_timeout": 60.0,
    "in_flight_max": 10,
    "resume": False,
    "precision": 0.0,
    "requests_max": 0,
    "budget_usd": 0.0,
    "keys_socket": -1,
    "notes": '{"why": "test"}',
    "parent_pid": 0,
    "live": False,
}


def options(**changes: Any) -> Namespace:
    return Namespace(**{**GIVEN, **changes})


def test_what_was_given_is_read() -> None:
    found = parse(options(rate=2.5, run_dir="runs/x"))
    assert (found.targets, found.images, found.run_dir) == (Path("t.json"), Path("photos"), Path("runs/x"))
    assert (found.rate, found.seed, found.notes, found.rule) == (2.5, 3, {"why": "test"}, None)


def test_a_run_without_a_folder_gets_one_named_by_time_and_scenario() -> None:
    folder = parse(options(scenario="some/where/mine.toml")).run_folder()
    assert folder.parent == Path("runs")
    assert folder.name.endswith("Z-mine")


def test_a_rate_of_zero_means_that_it_is_found_out() -> None:
    assert parse(options()).rate is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"targets": ""}, NO_TARGETS),
        ({"images": ""}, NO_IMAGES),
        ({"rate": -1.0}, "--rate must not be negative"),
        ({"request_timeout": 0.0}, "--request-timeout"),
        ({"resume": True}, "--resume needs --run-dir"),
        ({"precision": 2.0}, "precision 2.0: expected a share"),
        ({"budget_usd": -1.0}, "--budget-usd is -1.0: expected an amount in USD"),
        ({"budget_usd": float("nan")}, "--budget-usd is nan: expected an amount in USD"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_one_sentence(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError) as caught:
        parse(options(**changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_any_limit_makes_a_stopping_rule() -> None:
    by_precision = parse(options(precision=0.05)).rule
    by_requests = parse(options(requests_max=1000)).rule
    assert by_precision is not None
    assert by_requests is not None
    assert by_precision.precision == 0.05
    assert by_requests.requests_max == 1000
