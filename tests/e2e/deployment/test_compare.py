"""`tripoint compare` on what was deployed: the vendors' SDKs, closed doors and the deployed zip behind them."""

from __future__ import annotations

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from loadtests.record.cold_state import classify_samples
from loadtests.record.store import open_store
from tests.kits import deploy_rig

if TYPE_CHECKING:
    import subprocess

    from loadtests.record.sample import Sample
    from tests.kits.deploy_rig import Rig
    from tests.standins.door import Door

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
WITHIN_S = 240


@pytest.fixture(params=deploy_rig.CLOUDS)
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.open_rig(request.param, tmp_path) as made:
        (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
        yield made


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.open_rig("aws", tmp_path) as made:
        (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
        yield made


def door_of(rig: Rig) -> Door:
    assert rig.door is not None
    return rig.door


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """The exit status, and all that was said."""
    out, errors = process.communicate(timeout=WITHIN_S)
    return process.returncode, out + errors


def samples_of(folder: Path) -> list[Sample]:
    with open_store(folder) as store:
        return classify_samples(store.samples())


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end_s = time.monotonic() + WITHIN_S
    while not reached():
        assert process.poll() is None, ended(process)
        assert time.monotonic() < end_s, "nothing happened"
        time.sleep(0.05)


def test_one_command_deploys_measures_with_keys_forces_cold_starts_and_removes_everything(rig: Rig) -> None:
    run = rig.folder / "run"
    status, said = ended(
        rig.compare("--deploy", rig.cloud, "--yes", "--budget", "5", "--scenario", "mine.toml", "--out", str(run))
    )
    assert status == 0, said
    samples = samples_of(run)
    assert {sample.outcome for sample in samples} == {"ok"}, said
    assert [sample.target for sample in samples] == [rig.cloud] * 20, "6 probes, 2 forced, 12 steady"
    forced = [sample for sample in samples if sample.stratum == "forced"]
    assert [sample.state for sample in forced] == ["cold", "cold"]
    assert len({sample.instance for sample in forced}) == 2
    door = door_of(rig)
    assert (door.refused, door.served, door.retired) == ([], 20, 2)
    assert rig.left() == []
    assert rig.faults() == []
    assert not (rig.folder / ".tripoint" / "deployment.json").exists()
    assert "if every one ran into its time limits" in said
    assert_no_secret(rig, said, run)


def test_instances_that_are_billed_for_their_life_are_capped_compared_and_billed_by_their_own_plan(
    tmp_path: Path,
) -> None:
    variant = 'cloud = "gcp"\nplan = "cloud-run-instance"\nreserved_instances = 1\nmaximum_instances = 3\n'
    (tmp_path / "tripoint.toml").write_text(f"[[variants]]\n{variant}", encoding="utf-8")
    (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
    run = tmp_path / "run"
    asked = ("--deploy", "gcp", "--yes", "--hours", "1", "--scenario", "mine.toml", "--out", str(run))
    with deploy_rig.open_rig("gcp", tmp_path) as rig:
        status, said = ended(rig.compare(*asked, "--budget", "0.2"))
        assert status == 2
        assert "always-on instances alone would cost that much" in said, "3 for an hour cost 0.24 USD"
        assert (rig.left(), rig.interruption.seen) == ([], [])
        status, said = ended(rig.compare(*asked, "--budget", "2"))
        assert status == 0, said
        assert "billed by the instance" in said
        assert door_of(rig).refused == []
        assert [sample.outcome for sample in samples_of(run)] == ["ok"] * 20
        assert (rig.left(), rig.faults()) == ([], [])
    [target] = json.loads((run / "summary.json").read_text())["targets"]
    assert target["plan"] == "cloud-run-instance"
    assert any("2048 MB are held for 730 hours" in note for note in target["cost_assumptions"])
    month_usd = 730 * 3600 * (0.000018 + 2 * 0.000002)
    assert target["cost_usd_per_million"]["value"] > month_usd / 10, (
        "of ten million requests, for one instance at least"
    )


def assert_no_secret(rig: Rig, said: str, run: Path) -> None:
    """Neither in what was said nor in any file of the run."""
    written = b"".join(path.read_bytes() for path in run.rglob("*") if path.is_file()) + said.encode()
    for secret in (deploy_rig.SECRET_KEY, "AWS4-HMAC", "function-key-of-the-stand-in", "Bearer", "x-functions-key"):
        assert secret.encode() not in written, secret


def test_a_closed_target_refuses_who_has_no_key_or_a_wrong_one(rig: Rig, sample_image: bytes) -> None:
    with mock.patch.dict(os.environ, rig.variables):
        session = Session(folder=rig.folder / ".tripoint", say=lambda line: None)
        [endpoint] = session.apply([FunctionSpec(rig.cloud)])
        written = "".join(path.read_text() for path in (rig.folder / ".tripoint").iterdir())
        for secret in ("c3RhbmQtaW4=", "AccountKey", "function-key-of-the-stand-in", deploy_rig.SECRET_KEY, "Bearer"):
            assert secret not in written
        held = DeployedTargets(session).request_auth()[rig.cloud]
        now = datetime.now(UTC)
        right = held.headers("POST", endpoint.url, sample_image, now)
        assert classify(endpoint.url, sample_image, {}) in (401, 403)
        for name in set(right) - {"x-amz-date", "x-amz-content-sha256"}:
            wrong = {**right, name: right[name][:-9] + ("0" if right[name][-9] != "0" else "1") + right[name][-8:]}
            assert classify(endpoint.url, sample_image, wrong) in (401, 403), name
        if rig.cloud == "gcp":
            issuer = door_of(rig).issuer
            assert issuer is not None
            other = {"authorization": f"Bearer {issuer.token('https://another.service')}"}
            past = {"authorization": f"Bearer {issuer.token(endpoint.url, life_s=-3600)}"}
            assert [classify(endpoint.url, sample_image, each) for each in (other, past)] == [401, 401]
        if rig.cloud == "aws":
            assert classify(endpoint.url, sample_image + b"0", right) == 403, "another image than was signed"
            late = held.headers("POST", endpoint.url, sample_image, now - timedelta(minutes=10))
            assert classify(endpoint.url, sample_image, late) == 403
        assert door_of(rig).served == 0
        assert classify(endpoint.url, sample_image, right) == 200
        session.destroy()


def classify(url: str, image: bytes, headers: dict[str, str]) -> int:
    """The status of one request."""
    request = urllib.request.Request(url, data=image, headers={"content-type": "image/jpeg", **headers})
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


def test_what_is_deployed_already_is_measured_by_several_workers_and_stays(aws: Rig) -> None:
    aws.apply()
    run = aws.folder / "run"
    asked = ("--targets", "deployed", "--scenario", "mine.toml", "--workers", "2", "--out", str(run), "--json")
    status, said = ended(aws.compare(*asked))
    assert (status, "add --yes" in said) == (2, True), said
    status, said = ended(aws.compare(*asked, "--yes", "--quiet"))
    assert status == 0, said
    samples = samples_of(run)
    assert {sample.outcome for sample in samples} == {"ok"}
    assert len({sample.worker for sample in samples if sample.stratum == "steady"}) == 2
    assert sum(sample.stratum == "forced" and sample.state == "cold" for sample in samples) == 2
    assert door_of(aws).refused == []
    assert json.loads((run / "summary.json").read_text())["targets"][0]["cloud"] == "aws"
    assert_no_secret(aws, said, run)
    assert aws.left() != []
    aws.run("destroy")
    assert aws.left() == []


@pytest.fixture
def rest(tmp_path: Path) -> Iterator[Rig]:
    """What is deployed to AWS has a REST API in front."""
    with deploy_rig.open_rig("aws", tmp_path, front="rest-api") as made:
        (tmp_path / "mine.toml").write_text(PHASES, encoding="utf-8")
        (tmp_path / "tripoint.toml").write_text('[[variants]]\ncloud = "aws"\nfront = "rest-api"\n', encoding="utf-8")
        yield made


def test_a_rest_api_is_measured_with_its_own_signature_and_its_own_price(rest: Rig) -> None:
    run = rest.folder / "run"
    status, said = ended(
        rest.compare("--deploy", "aws", "--yes", "--budget", "5", "--scenario", "mine.toml", "--out", str(run))
    )
    assert status == 0, said
    samples = samples_of(run)
    assert {sample.outcome for sample in samples} == {"ok"}, said
    assert sum(sample.stratum == "forced" and sample.state == "cold" for sample in samples) == 2
    door = door_of(rest)
    assert (door.refused, door.served, door.retired) == ([], 20, 2)
    assert rest.left() == []
    assert_no_secret(rest, said, run)
    noted = json.loads((run / "summary.json").read_text())["targets"][0]["cost_assumptions"]
    assert "rest-api stands in front, and is paid for each request" in noted
    with open_store(run) as store:
        [target] = store.header()["targets"]
    assert target["gateway"] == "rest-api"


def test_a_deployed_rest_api_lets_in_nobody_without_a_signature_for_its_service(
    rest: Rig, sample_image: bytes
) -> None:
    from dataclasses import replace

    with mock.patch.dict(os.environ, rest.variables):
        session = Session(folder=rest.folder / ".tripoint", say=lambda line: None)
        [endpoint] = session.apply([FunctionSpec("aws", front="rest-api")])
        held, now = DeployedTargets(session).request_auth()["aws"], datetime.now(UTC)
        assert classify(endpoint.url, sample_image, {}) == 403
        other = replace(held, keys={**held.keys, "service": "lambda"})
        assert classify(endpoint.url, sample_image, other.headers("POST", endpoint.url, sample_image, now)) == 403
        right = held.headers("POST", endpoint.url, sample_image, now)
        assert classify(endpoint.url, sample_image, right) == 200
        session.destroy()
    assert rest.left() == []


def test_an_interrupt_during_the_load_still_removes_everything(aws: Rig) -> None:
    process = aws.compare("--deploy", "aws", "--yes", "--out", str(aws.folder / "run"))
    wait_until(lambda: door_of(aws).served >= 3, process)
    process.send_signal(signal.SIGINT)
    status, said = ended(process)
    assert status == 130, said
    assert aws.left() == []


def test_what_a_crash_leaves_is_offered_for_removal_at_the_next_start(aws: Rig) -> None:
    process = aws.compare("--deploy", "aws", "--yes", "--out", str(aws.folder / "run"))
    wait_until(lambda: door_of(aws).served >= 3, process)
    process.kill()
    ended(process)
    assert aws.left() != []
    status, said = ended(aws.compare("--targets", "nothing.json"))
    assert status == 2
    assert "from an interrupted run, may exist and cost money: `tripoint deploy destroy`" in said
    assert aws.left() != []
    _, said = ended(aws.compare("--targets", "nothing.json", "--yes"))
    assert "nothing is left" in said
    assert aws.left() == []


def test_a_step_that_fails_leaves_nothing_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.standins.azure import Azure

    failed = (200, {"status": 3, "status_text": "pip could not find a wheel"})
    monkeypatch.setattr(Azure, "build_state", lambda self, app: failed)
    with deploy_rig.open_rig("azure", tmp_path) as rig:
        status, said = ended(rig.compare("--deploy", "azure", "--yes"))
        assert status == 2
        assert "failed: pip could not find a wheel" in said
        assert rig.left() == []
