"""Lambda's own REPORT lines: from the local cloud into the log group, back to the samples, and into the cost."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.cost.billed_time import estimated_ms
from loadtests.cost.measured import cost_of
from loadtests.cost.plans import load_plan
from loadtests.plan.targets import Target
from loadtests.prices.book import bundled_book
from loadtests.record.store import Store, StoreError, open_store
from tests.kits import deploy_rig

if TYPE_CHECKING:
    import subprocess

    from loadtests.record.sample import Sample
    from tests.kits.deploy_rig import Rig
    from tests.standins.cloudwatch import Lines

pytestmark = [pytest.mark.timeout(600)]
PHASES = """
[[phases]]
kind = "forced"
rounds = 2
[[phases]]
kind = "constant"
rate = 5
count = 12
"""
SENT = 6 + 2 + 12
LOST = 15  # of the steady requests
WITHIN_S = 240


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.open_rig("aws", tmp_path) as made:
        (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
        yield made


@pytest.fixture
def lines(rig: Rig) -> Iterator[Lines]:
    """CloudWatch Logs get each line a second late, and one of them never."""
    from tests.standins.cloudwatch import Lines

    assert rig.door is not None
    rig.door.answered = made = Lines(rig.url, delay_s=1.0, loses=lambda number: number == LOST)
    yield made
    made.close()


def start(rig: Rig, *arguments: str) -> subprocess.Popen[str]:
    return rig.compare("--yes", "--scenario", "mine.toml", "--out", str(rig.folder / "run"), *arguments)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status, and all that was said."""
    out, errors = process.communicate(timeout=WITHIN_S)
    return process.returncode, out + errors


def samples_of(rig: Rig) -> list[Sample]:
    with open_store(rig.folder / "run") as store:
        return store.samples()


def document(rig: Rig) -> dict[str, Any]:
    return dict(json.loads((rig.folder / "run" / "summary.json").read_text(encoding="utf-8")))


def billed_ms(line: str) -> int:
    found = re.search(r"Billed Duration: (\d+) ms", line)
    assert found is not None, line
    return int(found[1])


def test_what_lambda_billed_reaches_the_samples_the_cost_and_the_checks_before_all_is_removed(
    rig: Rig, lines: Lines
) -> None:
    status, said = ended(start(rig, "--deploy", "aws", "--report-wait", "15"))
    assert status == 0, said
    assert rig.left() == []
    assert f"the platform's own line was found for {SENT - 1} of {SENT} requests; 1 did not come" in said

    samples = samples_of(rig)
    assert {sample.request_id for sample in samples} == set(lines.lines)
    [lost] = lines.lost
    for sample in samples:
        assert sample.request_id is not None
        written = None if sample.report is None else sample.report.line
        assert written == (None if sample.request_id == lost else lines.lines[sample.request_id].rstrip())
    assert_cost_is_what_lambda_billed(samples, lost, lines)

    [target] = document(rig)["targets"]
    assert target["platform_billed"] == SENT - 1
    told = "billed duration of 11 of 12 requests is the platform's own (REPORT line)"
    assert told in target["cost_assumptions"]
    [check] = [each for each in document(rig)["checks"] if each["name"] == "billing"]
    assert check["state"] == "passed", check
    assert f"agrees with the platform's own report within 1.00 ms for {SENT - 1} of {SENT - 1}" in check["finding"]
    assert f"new instances are the same ones for {SENT - 1} of {SENT - 1}" in check["finding"]
    assert "1 line did not come" in check["finding"]
    said_so = f"aws: the platform itself said what it billed for {SENT - 1} of {SENT} requests."
    for name in ("report.md", "report.html"):
        text = (rig.folder / "run" / name).read_text(encoding="utf-8")
        assert said_so in text, name
        assert told.replace("'", "&#39;") in text or told in text, name


def assert_cost_is_what_lambda_billed(samples: list[Sample], lost: str, lines: Lines) -> None:
    """The mean of the lines' billed durations, and of our rule for the one that never came."""
    target = Target("aws", "aws", "on-demand", "us-east-1", 1769, "https://x.lambda-url.us-east-1.on.aws/")
    steady = [sample for sample in samples if sample.stratum == "steady"]
    [ours] = [sample for sample in steady if sample.request_id == lost]
    estimate = estimated_ms(load_plan("aws", "on-demand").duration, ours)
    assert estimate is not None
    theirs = [billed_ms(lines.lines[str(each.request_id)]) for each in steady if each.request_id != lost]
    expected = (sum(map(Decimal, theirs)) + estimate) / len(steady)
    assert cost_of(target, samples, bundled_book()).billed_ms.value == pytest.approx(float(expected))


def test_a_run_that_did_not_wait_gets_its_lines_by_a_command_as_long_as_the_deployment_is_there(
    rig: Rig, lines: Lines
) -> None:
    rig.apply()
    status, said = ended(start(rig, "--targets", "deployed", "--report-wait", "0"))
    assert status == 0, said
    assert "lines   " not in said
    assert not any(sample.report for sample in samples_of(rig))
    before = document(rig)["targets"][0]
    assert before["platform_billed"] == 0
    assert not any(each["name"] == "billing" for each in document(rig)["checks"])

    lines.close()
    said = rig.run("reports", str(rig.folder / "run"), "--wait", "1")
    assert f"found for {SENT - 1} of {SENT} requests" in said
    after = document(rig)["targets"][0]
    assert after["platform_billed"] == SENT - 1
    assert after["cost_usd_per_million"]["value"] > before["cost_usd_per_million"]["value"], "the runtime's own time"
    assert after["warm"] == before["warm"], "what was measured stays"
    [complete] = [each for each in document(rig)["checks"] if each["name"] == "complete"]
    assert complete["state"] == "passed"

    other = Target("aws", "aws", "on-demand", "us-east-1", 1769, "https://elsewhere.lambda-url.us-east-1.on.aws/")
    header = {"started_at": "2026-11-25T12:00:00+00:00", "targets": [other.document()]}
    Store.create(rig.folder / "other" / "samples.sqlite", header).close()
    status, said = ended(rig.user("deploy", "reports", str(rig.folder / "other")))
    assert (status, "run this in the folder of its deployment" in said) == (2, True), said

    rig.run("destroy")
    status, said = ended(rig.user("deploy", "reports", str(rig.folder / "run")))
    assert (status, "nothing is deployed from this folder" in said) == (2, True), said


def test_ctrl_c_ends_the_waiting_alone(rig: Rig, lines: Lines) -> None:
    process = start(rig, "--deploy", "aws", "--report-wait", "600")
    end_s = time.monotonic() + WITHIN_S
    while not has_lines(rig):
        assert process.poll() is None, ended(process)
        assert time.monotonic() < end_s
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    assert status == 0, said
    assert "the waiting was interrupted" in said
    assert document(rig)["targets"][0]["platform_billed"] > 0
    assert rig.left() == []


def has_lines(rig: Rig) -> bool:
    """Whether some lines have reached the run's store."""
    try:
        return any(sample.report for sample in samples_of(rig))
    except StoreError:
        return False
