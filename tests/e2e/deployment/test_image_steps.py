"""A function from an image on AWS: what is made, in which order, and what the container tool is told.

The tool is a recorder (`tests/standins/container_tool.py`): none of the programs is on every machine, and without a
network no base image can be pulled. `test_deploy_image.py` builds, sends and runs a real one.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from adapters.aws.deployment import image_registry
from adapters.bundle import cache, image
from adapters.bundle.errors import BundleError
from adapters.deployment import state
from adapters.deployment.errors import DeployError
from adapters.deployment.function_spec import FunctionSpec
from adapters.deployment.session import Session
from tests.e2e.deployment.test_aws_variants import client, only_function
from tests.kits import deploy_rig
from tests.standins import container_tool, ecr

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(300)]
IMAGE = FunctionSpec("aws", format="image")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    with deploy_rig.rig("aws image", tmp_path) as made, mock.patch.dict(os.environ, made.variables):
        try:
            image.check(image_registry.order_of(IMAGE))
        except BundleError as error:
            pytest.skip(f"the packages cannot be fetched here: {error}")
        yield made


@pytest.fixture
def session(rig: Rig) -> Session:
    return Session(folder=rig.folder / ".tripoint", say=lambda line: None)


def called(rig: Rig, word: str) -> list[dict[str, Any]]:
    return [call for call in container_tool.calls(rig.record) if word in call["argv"]]


def repositories(rig: Rig) -> list[dict[str, Any]]:
    return list(client(rig, "ecr").describe_repositories()["repositories"])


def test_the_function_runs_the_image_by_its_digest_from_a_repository_of_its_own(rig: Rig, session: Session) -> None:
    [endpoint] = session.apply([IMAGE])
    [repository] = repositories(rig)
    assert (repository["imageTagMutability"], repository["imageScanningConfiguration"]) == (
        "IMMUTABLE",
        {"scanOnPush": False},
    )
    tags = client(rig, "ecr").list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    assert {tag["Key"] for tag in tags} == {
        "tripoint-project",
        "tripoint-run",
        "tripoint-owner",
        "tripoint-expires",
    }
    policy = client(rig, "ecr").get_repository_policy(repositoryName=repository["repositoryName"])["policyText"]
    [statement] = json.loads(policy)["Statement"]
    assert statement["Principal"] == {"Service": "lambda.amazonaws.com"}
    [sent] = client(rig, "ecr").describe_images(repositoryName=repository["repositoryName"])["imageDetails"]
    made = client(rig, "lambda").get_function(FunctionName=only_function(rig)["FunctionName"])
    assert made["Code"]["ImageUri"] == f"{repository['repositoryUri']}@{sent['imageDigest']}"
    assert made["Configuration"]["PackageType"] == "Image"
    assert "image" in endpoint.name
    session.destroy()
    assert rig.left() == []


def test_each_thing_is_recorded_before_it_is_made(rig: Rig, session: Session) -> None:
    """The tool's every call finds the repository made and the image begun in the record."""
    seen = []

    def looked(argv: Any, *arguments: Any, **options: Any) -> Any:
        entries = json.loads((session.folder / "deployment.json").read_text())["entries"] if recorded() else []
        seen.append((argv[:4], [(each["resource"]["kind"], bool(each["fingerprint"])) for each in entries]))
        return run(argv, *arguments, **options)

    def recorded() -> bool:
        return (session.folder / "deployment.json").exists()

    run = subprocess.run
    with mock.patch("subprocess.run", looked):
        session.apply([IMAGE])
    at_work = [entries for argv, entries in seen if {"build", "login", "push"} & set(argv)]
    assert len(at_work) == 3
    for entries in at_work:
        assert entries == [("role", True), ("log-group", True), ("repository", True), ("image", False)]


def test_the_password_is_on_no_command_line_and_in_no_file_of_the_users(rig: Rig, session: Session) -> None:
    home = rig.folder / "home"
    home.mkdir()
    with mock.patch.dict(os.environ, {"HOME": str(home), "TRIPOINT_CACHE": str(cache.root())}):
        session.apply([IMAGE])
    [login] = called(rig, "login")
    assert login["stdin"] == ecr.PASSWORD
    assert login["argv"][-1] == f"{ecr.ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    assert not any(ecr.PASSWORD in word for call in container_tool.calls(rig.record) for word in call["argv"])
    assert login["mode"] == 0o700
    assert json.loads(login["before"]) == {"auths": {login["argv"][-1]: {}}}, "docker asks no keychain then"
    assert not Path(login["file"]).parent.exists()
    assert list(home.rglob("*")) == []
    assert ecr.PASSWORD not in (session.folder / "deployment.json").read_text()


def test_a_second_apply_neither_builds_nor_sends(rig: Rig, session: Session) -> None:
    variants = [IMAGE, FunctionSpec("aws", format="image", memory_mb=512)]
    session.apply(variants)
    assert [len(called(rig, word)) for word in ("build", "push")] == [1, 1], "one image for both"
    before = len(rig.interruption.seen)
    session.apply(variants)
    assert [len(called(rig, word)) for word in ("build", "push")] == [1, 1]
    assert rig.interruption.seen[before:] == []


def test_an_image_that_was_sent_but_not_recorded_is_not_built_again(rig: Rig, session: Session) -> None:
    session.apply([IMAGE])
    recorded = state.read(session.folder)
    assert recorded is not None
    for entry in recorded.entries.values():
        if entry.resource.kind == "image":
            entry.fingerprint = None
    recorded.save()
    session.apply([IMAGE])
    assert len(called(rig, "push")) == 1


def test_other_contents_are_another_image_and_the_former_goes(
    rig: Rig, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.apply([IMAGE])
    monkeypatch.setattr(image, "contents", lambda order: "0123456789abcdef")
    session.apply([IMAGE])
    [repository] = repositories(rig)
    [sent] = client(rig, "ecr").describe_images(repositoryName=repository["repositoryName"])["imageDetails"]
    assert sent["imageTags"] == ["py3.13-x86_64-litert-clothes-0123456789abcdef"]
    made = client(rig, "lambda").get_function(FunctionName=only_function(rig)["FunctionName"])
    assert made["Code"]["ImageUri"].endswith(sent["imageDigest"])
    session.destroy()
    assert rig.left() == []


def test_both_dockerfiles_stand_side_by_side_in_one_repository(rig: Rig, session: Session) -> None:
    classic = FunctionSpec("aws", format="image", runtime="tflite-runtime", python="3.11")
    try:
        image.check(image_registry.order_of(classic))
    except BundleError as error:
        pytest.skip(f"the packages cannot be fetched here: {error}")
    session.apply([IMAGE, classic, FunctionSpec("aws")])
    files = [call["argv"][call["argv"].index("-f") + 1] for call in called(rig, "build")]
    assert files == ["adapters/aws/Dockerfile", "adapters/aws/Dockerfile.tflite"]
    assert len(repositories(rig)) == 1
    assert len(client(rig, "lambda").list_functions()["Functions"]) == 3
    session.apply([FunctionSpec("aws")])
    assert repositories(rig) == []
    session.destroy()
    assert rig.left() == []


def test_a_push_that_fails_says_so_and_can_be_resumed_or_destroyed(rig: Rig, session: Session) -> None:
    tool = rig.record.with_name("docker")
    works = tool.read_text()
    tool.write_text(
        works.replace("exec ", 'case "$*" in *push*) echo denied: no such right >&2; exit 1;; esac; exec ')
    )
    with pytest.raises(
        DeployError, match="docker push failed: denied: no such right; `tripoint deploy apply` resumes"
    ):
        session.apply([IMAGE])
    assert len(repositories(rig)) == 1
    assert not Path(called(rig, "login")[0]["file"]).parent.exists()
    tool.write_text(works)
    session.apply([IMAGE])
    session.destroy()
    assert rig.left() == []


def test_a_plan_shows_the_steps_and_builds_nothing(rig: Rig) -> None:
    said = rig.run("plan", "aws", "--format", "image")
    assert "image repository tripoint-" in said
    assert "image py3.13-x86_64-litert-clothes-" in said
    assert "rights  aws    ecr" in said
    assert called(rig, "build") == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"plan": "snapstart"}, "SnapStart needs a zip"),
        ({"runtime": "litert-direct"}, "has no Dockerfile for litert-direct: use --format zip"),
        ({"runtime": "tflite-runtime"}, "no tflite-runtime for Python 3.13"),
        ({"python": "3.11"}, "ai-edge-litert .* has no wheel for Python 3.11"),
        ({"model_variant": "int8"}, "an image holds every variant of a model"),
        ({"memory_mb": 20000}, "20000 MB is not offered"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(
    rig: Rig, session: Session, wrong: dict[str, Any], said: str
) -> None:
    with pytest.raises((ValueError, RuntimeError), match=said):
        session.apply([FunctionSpec("aws", format="image", **wrong)])
    assert rig.left() == []
    assert not (session.folder / "deployment.json").exists()


def test_without_a_tool_nothing_is_made(rig: Rig, session: Session, tmp_path: Path) -> None:
    with (
        mock.patch.dict(os.environ, {"PATH": str(tmp_path / "empty")}),
        pytest.raises(BundleError, match=r"no container tool works here \(docker is not installed; podman"),
    ):
        session.apply([IMAGE])
    assert rig.left() == []


def test_an_image_of_the_users_own_is_neither_built_nor_removed(rig: Rig, session: Session) -> None:
    service = client(rig, "ecr")
    mine = service.create_repository(repositoryName="mine")["repository"]["repositoryUri"]
    manifest = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "layers": [], "config": {"size": 1}}
    service.put_image(repositoryName="mine", imageManifest=json.dumps(manifest), imageTag="one")
    session.apply([FunctionSpec("aws", image=f"{mine}:one")])
    made = client(rig, "lambda").get_function(FunctionName=only_function(rig)["FunctionName"])
    assert made["Code"]["ImageUri"] == f"{mine}:one"
    assert called(rig, "build") + called(rig, "push") == []
    session.destroy()
    assert [repository["repositoryName"] for repository in repositories(rig)] == ["mine"]


def test_the_stand_in_refuses_images_as_lambda_does(rig: Rig, session: Session) -> None:
    service = client(rig, "ecr")
    mine = service.create_repository(repositoryName="mine")["repository"]["repositoryUri"]
    index = {"mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}
    service.put_image(repositoryName="mine", imageManifest=json.dumps(index), imageTag="index")
    for address, said in (
        (f"{mine}:none", "does not exist. Provide a valid source image"),
        (f"{mine}:index", "media type for the source image .* is not supported"),
    ):
        with pytest.raises(DeployError, match=said):
            session.apply([FunctionSpec("aws", image=address)])
    assert ecr.wrong_architecture({"architecture": "arm64"}, "x86_64") is not None
    assert ecr.wrong_architecture({"architecture": "amd64"}, "x86_64") is None
