"""What real clouds do late or refuse, which a stand-in that does all at once would hide."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.aws.deployment import functions
from adapters.deployment import lifecycle, patience
from adapters.deployment import provider as resources
from adapters.deployment.deployed_targets import DeployedTargets
from adapters.deployment.errors import DeployError, NotReady
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from adapters.gcp.deployment import identity
from tests.kits import deploy_rig

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]
# What Lambda has been reported to say of a role that was made a moment ago.
NEW_ROLE = [
    "The role defined for the function cannot be assumed by Lambda.",
    "Lambda was unable to configure access to your environment variables because the KMS key is invalid for"
    " CreateGrant. KMS Exception: InvalidArnException KMS Message: ARN does not refer to a valid principal",
    "The provided execution role does not have permissions to call CreateLogGroup on Logs",
]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clouds need minutes, stand-ins count questions: no pause is longer than these."""
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(patience, "LONGEST_PAUSE_S", 0.05)


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("aws", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


@pytest.fixture
def google(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("gcp", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("azure", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        yield made


def session(rig: Rig) -> Session:
    return Session(folder=rig.folder / ".tripoint", say=lambda line: None)


def aws_client(rig: Rig, service: str) -> Any:
    import boto3

    made: Any = boto3.Session("stand-in", "stand-in", region_name="us-east-1")
    return made.client(service, endpoint_url=rig.url)


def test_a_new_role_is_waited_for_whatever_lambda_says_of_it(aws: Rig) -> None:
    aws.standin.settling.role_refusals = list(NEW_ROLE)
    [endpoint] = session(aws).apply([FunctionSpec("aws")])
    assert endpoint.url
    assert aws.standin.settling.role_refusals == []


def test_what_does_not_pass_is_not_waited_for(aws: Rig) -> None:
    aws.standin.settling.role_refusals = ["Unzipped size must be smaller than 262144000 bytes"] * 2
    with pytest.raises(DeployError, match=r"was refused: .*Unzipped size must be smaller"):
        session(aws).apply([FunctionSpec("aws")])
    assert len(aws.standin.settling.role_refusals) == 1, "asked once"


def test_a_role_that_never_comes_is_said_with_the_next_step(aws: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "_ROLE_WAIT_S", 0.2)
    aws.standin.settling.role_refusals = NEW_ROLE[:1] * 100
    with pytest.raises(DeployError, match="not known everywhere yet: apply again in some minutes"):
        session(aws).apply([FunctionSpec("aws")])
    session(aws).destroy()
    assert aws.left() == []


def test_an_alias_that_still_moves_is_waited_for_before_anything_else_is_done_to_it(aws: Rig) -> None:
    aws.standin.settling.moves = 3
    variant = FunctionSpec("aws", plan="provisioned", reserved_instances=2)
    [endpoint] = session(aws).apply([variant])
    assert aws.standin.settling.starting[endpoint.name] == 0, "its instances are ready"
    changed = FunctionSpec("aws", plan="provisioned", reserved_instances=3, settings={"TF_CPP_MIN_LOG_LEVEL": "2"})
    session(aws).apply([changed])
    assert aws.standin.settling.held[endpoint.name] == 3
    # The version before may go only when no alias leads to it. (Once: moto gives a version's number out twice.)
    DeployedTargets(session(aws)).force_cold_start("aws")
    assert aws.standin.settling.moving == {}
    session(aws).destroy()
    assert aws.left() == []


def test_what_s3_still_lists_after_its_end_is_not_left(aws: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(functions, "DIRECT_BYTES", 1024 * 1024)
    session(aws).apply([FunctionSpec("aws")])
    aws.standin.settling.listings = 3
    session(aws).destroy()
    assert not (aws.folder / ".tripoint" / "deployment.json").exists()
    assert aws.standin.settling.gone, "the listing showed it to the end"


def test_instances_cannot_be_kept_ready_in_an_account_of_ten(aws: Rig) -> None:
    aws.standin._account = {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}
    said = refused(aws, "plan", "aws", "--plan", "provisioned", "--reserved", "2")
    assert "2 instances cannot be kept ready, for the account has 10 unreserved and keeps 100" in said
    assert "ask AWS for a higher quota of concurrent executions" in said
    assert "cannot be kept ready" in refused(aws, "apply", "aws", "--yes", "--plan", "provisioned", "--reserved", "2")
    assert aws.left() == []


def refused(rig: Rig, *arguments: str) -> str:
    """Run `tripoint deploy …`, which has to be refused."""
    process = rig.start(*arguments)
    process.join(120)
    said = (rig.folder / "said").read_text()
    assert process.exitcode == 2, said
    return said


def test_a_service_account_made_a_moment_ago_is_waited_for(google: Rig) -> None:
    google.standin.account_late = 3
    [endpoint] = session(google).apply([FunctionSpec("gcp")])
    assert endpoint.url
    assert google.standin.account_late == 0


def test_google_starts_no_instance_by_itself_where_a_cold_start_is_forced(google: Rig) -> None:
    session(google).apply([FunctionSpec("gcp", cpu_boost=False)])
    DeployedTargets(session(google)).force_cold_start("gcp")
    assert google.standin.starts_new_revisions[-1] is False
    assert google.faults() == []


def test_google_builds_with_the_account_that_is_named(google: Rig) -> None:
    builder = "projects/stand-in/serviceAccounts/builder@stand-in.iam.gserviceaccount.com"
    session(google).apply([FunctionSpec("gcp", build_account=builder)])
    [made] = google.standin.functions.values()
    assert made["buildConfig"]["serviceAccount"] == builder
    with pytest.raises(ValueError, match="only Google builds with an account"):
        FunctionSpec("aws", build_account=builder)


@pytest.mark.parametrize(("most", "told"), [(10, False), (20, True)])
def test_the_quota_of_a_new_google_project_is_told_before_minutes_of_build(
    google: Rig, most: int, told: bool
) -> None:
    """2 GiB have 1 vCPU and 4 GiB have 2: 10 of them are just what a new project has."""
    said = google.run("plan", "gcp", "--memory", "4096", "--max-instances", str(most))
    assert ("a new project has 20 and 40" in said) is told
    assert google.left() == []


def test_credentials_that_give_no_id_token_are_refused_by_name() -> None:
    kind: Any = pytest.importorskip("google.auth.identity_pool").Credentials
    source = {"file": "/nowhere"}
    given: dict[str, Any] = {
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": source,
    }
    with pytest.raises(NotReady, match="give no ID token by themselves: let them impersonate a service account"):
        identity.check(kind(**given))
    account = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.c:generateAccessToken"
    identity.check(kind(**given, service_account_impersonation_url=account))


def test_an_azure_app_is_asked_until_it_takes_its_package_and_has_keys(azure: Rig) -> None:
    azure.standin.scm_busy, azure.standin.keys_late = 2, 2
    current = session(azure)
    [endpoint] = current.apply([FunctionSpec("azure")])
    assert azure.standin.scm_busy == 0
    opened = DeployedTargets(current).request_auth()["azure"]
    assert set(opened.fixed) == {"x-functions-key"}
    assert azure.standin.keys_late == 0
    assert endpoint.url


def test_two_azure_apps_of_a_region_each_keep_their_own_package(azure: Rig) -> None:
    endpoints = session(azure).apply([FunctionSpec("azure", python="3.12"), FunctionSpec("azure", python="3.13")])
    packages = [azure.standin.package_of(each.name) for each in endpoints]
    wheels = [requirements(package) for package in packages]
    assert len(set(packages)) == 2
    assert wheels[0] != wheels[1]


def requirements(package: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(package)) as packed:
        return packed.read("requirements.txt").decode()


def test_a_low_maximum_of_azure_instances_is_kept(azure: Rig) -> None:
    session(azure).apply([FunctionSpec("azure", maximum_instances=3)])
    [site] = [each for key, each in azure.standin.resources.items() if key[1] == "sites"]
    assert site["properties"]["functionAppConfig"]["scaleAndConcurrency"]["maximumInstanceCount"] == 3


def test_a_subscription_that_forbids_shared_keys_is_told_so(azure: Rig) -> None:
    azure.standin.shared_keys = False
    with pytest.raises(DeployError, match="a policy of this subscription forbids shared keys"):
        session(azure).apply([FunctionSpec("azure")])
    session(azure).destroy()
    assert azure.left() == []


def test_a_cloud_whose_login_has_ended_keeps_nothing_on_the_others(
    azure: Rig, google: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = Session(folder=azure.folder / ".tripoint", say=lambda line: None)
    both.apply([FunctionSpec("azure"), FunctionSpec("gcp")])
    check = resources.provider_of("azure").check

    def gone(_: object) -> None:
        raise NotReady("azure: no credentials: run `az login`")

    with monkeypatch.context() as patched:
        patched.setattr(type(resources.provider_of("azure")), "check", gone)
        with pytest.raises(DeployError, match="no credentials: run `az login`"):
            both.destroy()
    assert google.left() == []
    assert azure.left() != []
    check()
    both.destroy()
    assert azure.left() == []


def test_one_region_that_cannot_be_looked_at_keeps_nothing_in_the_others(
    aws: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    session(aws).apply([FunctionSpec("aws")])
    kind = type(resources.provider_of("aws"))
    find, asked = kind.find, []

    def denied(self: Any, project: str, regions: list[str]) -> Any:
        from botocore.exceptions import ClientError

        asked.extend(regions)
        if "ap-east-1" in regions:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "not for you"}}, "ListFunctions")
        return find(self, project, regions) if "us-east-1" in regions else []

    monkeypatch.setattr(kind, "find", denied)
    said: list[str] = []
    Session(folder=aws.folder / "elsewhere", say=said.append).sweep(["aws"], regions=[], everything=True)
    assert len(set(asked)) > 20, "every region there is"
    assert any(line.startswith("not looked at: ap-east-1 (") and "not for you" in line for line in said)
    assert aws.left() == []


def test_the_listing_is_asked_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lifecycle.LISTING_S >= 30
    answers = iter([False, False, True])
    assert patience.until(lambda: next(answers), within_s=5)
    assert not patience.until(lambda: False, within_s=0.05)
