"""What only AWS offers: plans with a published version, images, large zips, and what it refuses."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.aws.deploy import Aws
from adapters.aws.deployment import functions
from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("aws", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


@pytest.fixture
def session(rig: Rig, tmp_path: Path) -> Session:
    return Session(folder=tmp_path / ".tripoint", say=lambda line: None)


def client(rig: Rig, service: str) -> Any:
    import boto3

    made: Any = boto3.Session("stand-in", "stand-in", region_name="us-east-1")
    return made.client(service, endpoint_url=rig.url)


def only_function(rig: Rig) -> dict[str, Any]:
    [found] = client(rig, "lambda").list_functions()["Functions"]
    return dict(found)


def test_the_function_is_as_asked_and_its_role_may_write_its_own_logs_only(rig: Rig, session: Session) -> None:
    variant = FunctionSpec("aws", memory_mb=512, architecture="arm64", python="3.12", maximum_instances=7)
    session.apply([variant])
    made = only_function(rig)
    assert (made["MemorySize"], made["Runtime"], made["Architectures"]) == (512, "python3.12", ["arm64"])
    assert made["Handler"] == "adapters.aws.handler.lambda_handler"
    held = client(rig, "lambda").get_function_concurrency(FunctionName=made["FunctionName"])
    assert held["ReservedConcurrentExecutions"] == 7
    role = made["Role"].rpartition("/")[2]
    policy = client(rig, "iam").get_role_policy(RoleName=role, PolicyName="logs")["PolicyDocument"]
    [statement] = policy["Statement"]
    assert statement["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
    assert all(role in resource for resource in statement["Resource"])
    tags = client(rig, "lambda").list_tags(Resource=made["FunctionArn"])["Tags"]
    assert set(tags) == {"tripoint-project", "tripoint-run", "tripoint-owner", "tripoint-expires"}
    [group] = client(rig, "logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 7
    built = functions.bundle_of(variant)
    assert built is not None
    assert not (built.folder / "boto3").exists()


@pytest.mark.parametrize("plan", ["snapstart", "provisioned"])
def test_a_plan_with_a_published_version_answers_through_its_alias(rig: Rig, session: Session, plan: str) -> None:
    reserved = 2 if plan == "provisioned" else 0
    [endpoint] = session.apply([FunctionSpec("aws", plan=plan, reserved_instances=reserved)])
    name = only_function(rig)["FunctionName"]
    [alias] = client(rig, "lambda").list_aliases(FunctionName=name)["Aliases"]
    assert alias["Name"] == "live"
    assert alias["FunctionVersion"] != "$LATEST"
    assert endpoint.access == "iam"
    assert rig.standin.settling.held.get(name, 0) == reserved
    session.destroy()
    assert rig.left() == []


def test_only_a_public_variant_is_open(rig: Rig, session: Session) -> None:
    [closed] = session.apply([FunctionSpec("aws")])
    name = only_function(rig)["FunctionName"]
    service = client(rig, "lambda")
    assert service.get_function_url_config(FunctionName=name)["AuthType"] == "AWS_IAM"
    with pytest.raises(service.exceptions.ResourceNotFoundException):
        service.get_policy(FunctionName=name)
    [opened] = session.apply([FunctionSpec("aws", access="public")])
    assert service.get_function_url_config(FunctionName=name)["AuthType"] == "NONE"
    assert "public-invoke" in service.get_policy(FunctionName=name)["Policy"]
    assert (closed.access, opened.access) == ("iam", "public")
    session.apply([FunctionSpec("aws")])
    assert service.get_function_url_config(FunctionName=name)["AuthType"] == "AWS_IAM"


def test_a_closed_endpoint_is_signed_for_and_a_cold_start_can_be_forced(rig: Rig, session: Session) -> None:
    from datetime import UTC, datetime

    [endpoint] = session.apply([FunctionSpec("aws")])
    passes = DeployedTargets(session).request_auth()
    added = passes["aws"].headers("POST", endpoint.url, b"image", datetime.now(UTC))
    assert "/us-east-1/lambda/aws4_request" in added["authorization"]
    name = endpoint.name
    before = client(rig, "lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    DeployedTargets(session).force_cold_start("aws")
    after = client(rig, "lambda").get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    assert {each for each in after if after[each] != before.get(each)} == {functions.GENERATION}


def test_a_zip_too_large_for_a_direct_upload_goes_through_a_bucket(
    rig: Rig, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(functions, "DIRECT_BYTES", 1024 * 1024)
    session.apply([FunctionSpec("aws"), FunctionSpec("aws", memory_mb=512)])
    [bucket] = client(rig, "s3").list_buckets()["Buckets"]
    stored = client(rig, "s3").list_objects_v2(Bucket=bucket["Name"])["Contents"]
    built = functions.bundle_of(FunctionSpec("aws"))
    assert built is not None
    assert [each["Size"] for each in stored] == [built.zipped_bytes] * 2
    calls = len(rig.interruption.seen)
    session.apply([FunctionSpec("aws"), FunctionSpec("aws", memory_mb=512)])
    assert rig.interruption.seen[calls:] == [], "not one changing request"
    session.apply([FunctionSpec("aws")])
    assert len(client(rig, "s3").list_objects_v2(Bucket=bucket["Name"])["Contents"]) == 1
    session.destroy()
    assert rig.left() == []


def test_the_platforms_report_lines_are_read_back(rig: Rig, session: Session) -> None:
    session.apply([FunctionSpec("aws")])
    logs = client(rig, "logs")
    [group] = logs.describe_log_groups()["logGroups"]
    now_ms = int(time.time() * 1000)
    logs.create_log_stream(logGroupName=group["logGroupName"], logStreamName="one")
    reports = [
        f"REPORT RequestId: 8f5c-{index}\tDuration: 20.10 ms\tBilled Duration: {21 + index} ms\tMemory Size: 1769 MB"
        "\tMax Memory Used: 88 MB"
        for index in range(5)
    ]
    messages = ["START RequestId: 8f5c-0 Version: $LATEST", *(f"{report}\t\n" for report in reports)]
    events = [{"timestamp": now_ms + index, "message": message} for index, message in enumerate(messages)]
    logs.put_log_events(logGroupName=group["logGroupName"], logStreamName="one", logEvents=events)
    [(variant, lines)] = session.logs(limit=2)
    assert list(lines) == reports[3:]
    deployment, before = session.recorded().deployment, datetime.now(UTC) - timedelta(minutes=5)
    by_request = Aws().reports(deployment, variant, since=before)
    assert by_request is not None
    assert {name: (each.line, each.billed_ms) for name, each in by_request.items()} == {
        f"8f5c-{index}": (report, 21 + index) for index, report in enumerate(reports)
    }
    assert Aws().reports(deployment, variant, since=datetime.now(UTC) + timedelta(minutes=5)) == {}
    assert Aws().reports(deployment, replace(variant, front="http-api"), since=before) is None


def test_a_small_quota_is_told_before_and_not_reserved(rig: Rig, session: Session) -> None:
    rig.standin._account = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    said = rig.run("plan", "aws")
    assert "20 instances cannot be reserved, for the account has 10 unreserved and keeps 100" in said
    session.apply([FunctionSpec("aws")])
    name = only_function(rig)["FunctionName"]
    held = client(rig, "lambda").get_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in held


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"concurrency": 2}, "Lambda gives each request its own instance"),
        ({"plan": "snapstart", "python": "3.11"}, "SnapStart needs a zip and Python 3.12 or later"),
        ({"plan": "provisioned"}, "provisioned, with 1 or more of them"),
        (
            {"reserved_instances": 2},
            "plan 'on-demand' with reserved_instances of 2: instances kept ready have a plan",
        ),
        ({"plan": "gold"}, "plan 'gold' is not made by `deploy`: use one of on-demand, snapstart, provisioned"),
        ({"plan": "managed-instances"}, "plan 'managed-instances' is not made by `deploy`"),
        ({"front": "door"}, "front 'door': expected one of function-url, http-api, rest-api"),
        ({"memory_mb": 20000}, "20000 MB is not offered"),
        ({"python": "3.9"}, "AWS Lambda has no Python '3.9'"),
    ],
)
def test_what_lambda_would_refuse_is_refused_before_anything_is_made(
    rig: Rig, session: Session, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises((ValueError, RuntimeError), match=said):
        session.apply([FunctionSpec("aws", **wrong)])
    assert rig.left() == []
    assert not (session.folder / "deployment.json").exists()
