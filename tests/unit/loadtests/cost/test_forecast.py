"""What is said and asked before anything costs money."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.commands.compare import command
from loadtests.cost.forecast import LIKELY_MS, LIKELY_START_MS, forecast
from loadtests.cost.tariff import request_price
from loadtests.plan.phases import Closed, Constant, Forced
from loadtests.plan.scenarios import PROBES
from loadtests.plan.targets import Target, write_targets
from loadtests.prices.book import bundled_book

AWS = Target("aws", "aws", "on-demand", "us-east-1", 1769, "https://x.lambda-url.us-east-1.on.aws/")
UNPRICED = Target("mine", "aws", "of-my-own", "moon", 128, "https://mine.example/")


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> tuple[int, str]:
    """The exit status and all output of `tripoint compare`, with nobody at the keyboard."""
    found = CliRunner().invoke(command, list(arguments))
    return found.exit_code, found.output


def test_real_targets_are_not_measured_before_somebody_agrees(tmp_path: Path) -> None:
    write_targets(tmp_path / "mine.json", [AWS])
    status, output = said("--targets", "mine.json", "--scenario", "smoke", "--budget", "2")
    assert status == 2
    assert "cost    27 requests, about 0.00" in output
    assert "budget  2.0 USD: the run ends before it could cost more" in output
    assert "there is no terminal to ask on: add --yes" in output
    assert not (tmp_path / "runs").exists()


def test_no_budget_is_promised_for_instances_that_nobody_can_count(tmp_path: Path) -> None:
    held = Target("held", "gcp", "cloud-run-instance", "us-central1", 2048, "https://x.a.run.app/")
    write_targets(tmp_path / "mine.json", [held])
    status, output = said("--targets", "mine.json", "--scenario", "smoke", "--budget", "2")
    assert status == 2
    assert "--budget: target 'held' bills an instance's whole life" in output
    assert "there is no terminal to ask on: add --yes" in said("--targets", "mine.json", "--scenario", "smoke")[1]


def test_without_a_budget_that_is_said_too_and_an_unknown_price_is_no_obstacle(tmp_path: Path) -> None:
    write_targets(tmp_path / "mine.json", [UNPRICED])
    status, output = said("--targets", "mine.json", "--scenario", "smoke")
    assert status == 2
    assert "cost    unknown: a budget needs a price for target 'mine'" in output
    assert "budget  none: --budget USD ends the run before it costs more" in output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--deploy", "aws", "--targets", "x.json"), "--deploy and --targets do not go together"),
        (("--targets", "deployed"), "`tripoint deploy apply` makes it"),
        (("--targets", "nowhere.json"), "give a file of targets, or 'deployed'"),
    ],
)
def test_what_does_not_go_together_is_told_with_the_next_step(arguments: tuple[str, ...], message: str) -> None:
    status, output = said(*arguments)
    assert (status, message in output) == (2, True), output


def test_a_record_of_a_process_that_lives_is_not_offered_for_removal(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from adapters.deployment import state
    from adapters.deployment.naming import new_deployment
    from adapters.deployment.state import OwnerProcess, this_process

    deployment = new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=datetime.now(UTC))
    recorded = state.create(deployment, tmp_path / ".tripoint")
    for holder, offered in ((None, False), (this_process(), False), (OwnerProcess(2**22 + 1, 0.0), True)):
        recorded.holder = holder
        recorded.save()
        _, output = said("--targets", "nowhere.json")
        assert ("from an interrupted run" in output) == offered, holder
    assert json.loads((tmp_path / ".tripoint" / "deployment.json").read_text())["holder"]["pid"] == 2**22 + 1


def test_what_was_cut_off_while_it_was_changed_is_not_measured_for_what_it_should_be(tmp_path: Path) -> None:
    from datetime import UTC, datetime, timedelta

    from adapters.deployment import state
    from adapters.deployment.naming import new_deployment
    from adapters.deployment.provider import Resource, Step

    deployment = new_deployment("tripoint", owner="ana", life=timedelta(hours=1), now=datetime.now(UTC))
    recorded = state.create(deployment, tmp_path / ".tripoint")
    step = Step(Resource("aws", "function", "tripoint-x", "us-east-1"), "a function", {}, lambda made: {})
    write_targets(tmp_path / ".tripoint" / "targets.json", [AWS])
    recorded.begin(step)
    status, output = said("--targets", "deployed", "--scenario", "smoke", "--yes")
    assert status == 2
    assert (
        "function tripoint-x was interrupted while it was made or changed: `tripoint deploy apply` finishes it"
        in output
    )
    recorded.finish(step, {})
    assert "there is no terminal to ask on" in said("--targets", "deployed", "--scenario", "smoke")[1]


def test_a_forecast_adds_up_requests_and_starts_at_the_price_list() -> None:
    found = forecast([AWS], [Forced(2), Constant(5.0, 10)], bundled_book())
    assert (found.requests, found.starts) == (PROBES + 12, 3)
    price = request_price(AWS, bundled_book())
    cold = price.usd(Decimal(LIKELY_MS + LIKELY_START_MS), starts=1)
    assert found.likely_usd == (PROBES + 12 - 3) * price.usd(Decimal(LIKELY_MS)) + 3 * cold
    assert found.highest_usd == (PROBES + 12) * price.highest_usd
    assert forecast([AWS], [Closed(10, 1.0, 60.0)], bundled_book()).requests == PROBES + 600
